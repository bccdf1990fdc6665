"""Holds our Arrow C Data Interface against pyarrow: every type, nulls, slices, nesting, both directions.

    arrow_test.py PATH_OF_BRIDGE
"""
import ctypes
import datetime
import decimal
import gc
import sys
import unittest

import pyarrow as pa
from pyarrow.cffi import ffi

BRIDGE = None
MESSAGE_SIZE = 4096
UTC = datetime.timezone.utc


class Refused(Exception):
    pass


def call(function, *arguments):
    message = ctypes.create_string_buffer(MESSAGE_SIZE)
    if function(*arguments, message, ctypes.c_size_t(MESSAGE_SIZE)):
        raise Refused(message.value.decode())
    return message.value.decode()


def address(pointer):
    return ctypes.c_void_p(int(ffi.cast("uintptr_t", pointer)))


def exported(name):
    pointer = ffi.new(f"struct {name}*")
    return pointer, int(ffi.cast("uintptr_t", pointer))


def round_trip(array, start=0, length=-1):
    schema, schema_at = exported("ArrowSchema")
    data, data_at = exported("ArrowArray")
    out_schema, out_schema_at = exported("ArrowSchema")
    out_data, out_data_at = exported("ArrowArray")
    pa.field("column", array.type)._export_to_c(schema_at)
    array._export_to_c(data_at)
    call(BRIDGE.bridge_round_trip, address(schema), address(data), ctypes.c_int64(start),
         ctypes.c_int64(length), address(out_schema), address(out_data))
    result = pa.Array._import_from_c(out_data_at, pa.Field._import_from_c(out_schema_at).type)
    result.validate(full=True)
    return result


def batch_of(ddl, lines, start=0, length=-1):
    schema, schema_at = exported("ArrowSchema")
    data, data_at = exported("ArrowArray")
    call(BRIDGE.bridge_batch, ctypes.c_char_p(ddl.encode()), ctypes.c_char_p("\n".join(lines).encode()),
         ctypes.c_int64(start), ctypes.c_int64(length), address(schema), address(data))
    batch = pa.RecordBatch._import_from_c(data_at, schema_at)
    batch.validate(full=True)
    return batch


def ddl_of(schema):
    pointer, at = exported("ArrowSchema")
    schema._export_to_c(at)
    return call(BRIDGE.bridge_ddl, address(pointer))


LONG = "a text of more than twelve bytes"
DAY = datetime.date(2026, 3, 1)
NOON = datetime.datetime(2026, 3, 1, 12, 34, 56, 789012, tzinfo=UTC)
INTERVAL = pa.MonthDayNano([14, -3, 1_000_500_000])

# Types whose values come back as the same Python values: (type, values).
TYPES = [
    (pa.null(), [None, None, None]),
    (pa.bool_(), [True, False, None, True, True, False, True, None, True, False]),
    (pa.int8(), [-128, 127, None]),
    (pa.int16(), [-32768, 32767, None]),
    (pa.int32(), [-(2**31), 2**31 - 1, None]),
    (pa.int64(), [-(2**63), 2**63 - 1, None]),
    (pa.uint8(), [0, 255, None]),
    (pa.uint16(), [0, 65535, None]),
    (pa.uint32(), [0, 2**32 - 1, None]),
    (pa.float32(), [0.5, -1.25, None, float("inf")]),
    (pa.float64(), [0.1, -1e300, None, float("-inf")]),
    (pa.decimal128(38, 10), [decimal.Decimal("1.5000000000"), decimal.Decimal("-9" * 1 + "9" * 27), None]),
    (pa.string(), ["", "short", LONG, None, "é" * 50, "exactly 12 b"]),
    (pa.large_string(), ["", "short", LONG, None, "é" * 50]),
    (pa.string_view(), ["", "short", LONG, None, "é" * 50, LONG * 3]),
    (pa.binary(), [b"", b"\x00\xff", LONG.encode(), None]),
    (pa.large_binary(), [b"", b"\x00\xff", LONG.encode(), None]),
    (pa.binary_view(), [b"", b"\x00\xff", LONG.encode(), None]),
    (pa.binary(16), [b"0123456789abcdef", None, b"x" * 16]),
    (pa.binary(3), [b"012", None, b"xyz"]),
    (pa.date32(), [DAY, None, datetime.date(1969, 12, 31)]),
    (pa.date64(), [DAY, None, datetime.date(1969, 12, 31)]),
    (pa.timestamp("us", "UTC"), [NOON, None]),
    (pa.timestamp("us", "Europe/Paris"), [NOON, None]),
    (pa.timestamp("ms", "UTC"), [NOON.replace(microsecond=789000), None]),
    (pa.timestamp("s", "UTC"), [NOON.replace(microsecond=0), None]),
    (pa.timestamp("ns", "UTC"), [NOON, None]),
    (pa.duration("us"), [datetime.timedelta(days=-1, microseconds=1), None]),
    (pa.duration("s"), [datetime.timedelta(days=3), None]),
    (pa.duration("ms"), [datetime.timedelta(milliseconds=1), None]),
    (pa.duration("ns"), [datetime.timedelta(microseconds=-1), None]),
    (pa.month_day_nano_interval(), [INTERVAL, None]),
    (pa.list_(pa.int32()), [[1, None], [], None, [2]]),
    (pa.large_list(pa.string()), [["a", LONG], [], None, [None]]),
    (pa.list_(pa.int16(), 2), [[1, 2], None, [3, None]]),
    (pa.map_(pa.string(), pa.int64()), [[("a", 1), (LONG, None)], [], None]),
    (pa.struct([("a", pa.int32()), ("b", pa.string())]), [{"a": 1, "b": LONG}, None, {"a": None, "b": None}]),
    (pa.dictionary(pa.int8(), pa.string()), ["x", LONG, None, "x"]),
    (pa.dictionary(pa.uint32(), pa.int64()), [7, 8, None, 7]),
    (pa.list_(pa.struct([("m", pa.map_(pa.int32(), pa.list_(pa.string()))), ("d", pa.date32())])),
     [[{"m": [(1, ["x", None, LONG])], "d": DAY}, None], None, [], [{"m": None, "d": None}]]),
]


def build(type_, values):
    if pa.types.is_dictionary(type_):
        return pa.array(values, type_.value_type).dictionary_encode().cast(type_)
    return pa.array(values, type_)


def plain(values):
    """Nanosecond times come back as pandas-free datetimes; views and maps as lists: one form for all."""
    return [value.to_pydatetime() if hasattr(value, "to_pydatetime") else value for value in values]


class ArrowTest(unittest.TestCase):
    def setUp(self):
        gc.collect()
        self.bytes_before = BRIDGE.bridge_bytes_in_use()

    def tearDown(self):
        gc.collect()
        self.assertEqual(self.bytes_before, BRIDGE.bridge_bytes_in_use(), "buffers of ours are left over")

    def for_each_type(self, check):
        for type_, values in TYPES:
            with self.subTest(type=str(type_)):
                check(type_, values)

    def test_values_of_every_type_return(self):
        self.for_each_type(lambda type_, values: self.assertEqual(
            values, plain(round_trip(build(type_, values)).to_pylist())))

    def test_slices_of_every_type_on_their_side_and_on_ours(self):
        def check(type_, values):
            many = values * 7
            array = build(type_, many)
            for start, length in [(1, 5), (len(many) - 3, 3), (3, 0), (5, 8), (0, len(many))]:
                sliced = array.slice(start, length)
                expected = many[start:start + length]
                self.assertEqual(expected, plain(round_trip(sliced).to_pylist()))
                self.assertEqual(expected, plain(round_trip(array, start, length).to_pylist()))
                if length > 2:
                    self.assertEqual(expected[1:-1], plain(round_trip(sliced, 1, length - 2).to_pylist()))

        self.for_each_type(check)

    def test_columns_without_rows_and_of_nulls_only(self):
        def check(type_, _):
            self.assertEqual([], round_trip(build(type_, [])).to_pylist())
            self.assertEqual([None] * 3, round_trip(build(type_, [None] * 3)).to_pylist())

        self.for_each_type(check)

    def test_types_return_as_spark_has_them(self):
        expected = {
            "f1": ("tinyint", pa.int8()), "f2": ("smallint", pa.uint8()), "f3": ("int", pa.uint16()),
            "f4": ("bigint", pa.uint32()), "f5": ("decimal(20,0)", pa.uint64()), "f6": ("string", pa.string()),
            "f7": ("binary", pa.large_binary()), "f8": ("date", pa.date64()),
            "f9": ("timestamp", pa.timestamp("ms", "Asia/Tokyo")),
            "g1": ("interval day to second", pa.duration("ns")),
            "g2": ("array<string>", pa.large_list(pa.string())),
            "g3": ("map<string,double>", pa.map_(pa.string(), pa.float64())),
            "g4": ("struct<x:int>", pa.struct([("x", pa.int32())])),
            "g5": ("string", pa.dictionary(pa.int32(), pa.string())),
            "g6": ("interval", pa.month_day_nano_interval()),
            "g7": ("decimal(10,2)", pa.decimal128(10, 2)),
        }
        ddl = ddl_of(pa.schema([pa.field(name, type_) for name, (_, type_) in expected.items()]))
        for name, (spark, _) in expected.items():
            self.assertIn(f"{name} {spark}".upper().replace(",", ", ") if "map" in spark else
                          f"{name} {spark}".upper(), ddl.upper().replace("X: INT", "X:INT"))
        self.assertEqual("a INT NOT NULL", ddl_of(pa.schema([pa.field("a", pa.int32(), nullable=False)])))

    def test_unsigned_64_bits_become_decimals(self):
        values = [0, 2**64 - 1, None]
        self.assertEqual([v if v is None else decimal.Decimal(v) for v in values],
                         round_trip(pa.array(values, pa.uint64())).to_pylist())

    def test_naive_timestamps_are_taken_to_be_utc(self):
        naive = pa.array([NOON.replace(tzinfo=None)], pa.timestamp("us"))
        self.assertEqual([NOON], round_trip(naive).to_pylist())

    def test_what_spark_does_not_have_is_refused_with_advice(self):
        cases = [(pa.float16(), "half float"), (pa.decimal256(50, 2), "decimal256"), (pa.time64("us"), "time of day"),
                 (pa.run_end_encoded(pa.int32(), pa.int32()), "run-end"), (pa.decimal128(5, -2), "scale")]
        for type_, words in cases:
            with self.subTest(type=str(type_)):
                before = BRIDGE.bridge_releases()
                array = pa.nulls(2, type_)
                with self.assertRaisesRegex(Refused, words):
                    round_trip(array)
                self.assertEqual(before + 1, BRIDGE.bridge_releases())

    def test_times_out_of_range_are_refused(self):
        with self.assertRaisesRegex(Refused, "out of the range of timestamp"):
            round_trip(pa.array([2**62], pa.int64()).cast(pa.timestamp("s", "UTC"), safe=False))
        self.assertEqual([None], round_trip(pa.array([None], pa.timestamp("s", "UTC"))).to_pylist())

    def test_nothing_is_copied_where_the_layouts_agree(self):
        for type_ in [pa.int64(), pa.float64(), pa.decimal128(30, 2), pa.timestamp("us", "UTC"), pa.date32()]:
            with self.subTest(type=str(type_)):
                array = pa.array([1, 2, 3], pa.int64()).cast(type_) if not pa.types.is_date32(type_) else \
                    pa.array([1, 2, 3], pa.int32()).cast(type_)
                self.assertEqual(array.buffers()[1].address, round_trip(array).buffers()[1].address)
        text = pa.array([LONG, None, LONG * 2])
        self.assertEqual(text.buffers()[2].address, round_trip(text).buffers()[2].address)

    def test_producers_are_released_exactly_once_and_only_when_nobody_looks(self):
        before = BRIDGE.bridge_releases()
        array = round_trip(pa.array([LONG, None, "x"]))
        again = round_trip(array.slice(0, 2))
        del array
        gc.collect()
        self.assertEqual([LONG, None], again.to_pylist())
        del again
        gc.collect()
        self.assertEqual(before + 2, BRIDGE.bridge_releases())

    def test_parts_of_an_export_may_outlive_the_rest(self):
        batch = batch_of("s struct<a: int, t: string>, n int", [f'{{"s": {{"a": {i}, "t": "{LONG}"}}}}' for i in range(5)])
        text = batch.column(0).field(1)
        del batch
        gc.collect()
        self.assertEqual([LONG] * 5, text.to_pylist())

    def test_batches_of_ours_are_read(self):
        ddl = ("b boolean, t tinyint, l bigint, d double, x decimal(10,2), s string, y binary, dt date, "
               "ts timestamp, a array<int>, m map<string,double>, st struct<a: int, l: array<string>>")
        row = ('{"b": true, "t": -1, "l": 7, "d": 1.5, "x": -12.34, "s": "%s", "y": "AQI=", "dt": "2026-03-01", '
               '"ts": "2026-03-01T12:34:56.789012Z", "a": [1, null], "m": {"k": 0.5}, "st": {"a": 1, "l": ["x"]}}' % LONG)
        expected = {"b": True, "t": -1, "l": 7, "d": 1.5, "x": decimal.Decimal("-12.34"), "s": LONG, "y": b"\x01\x02",
                    "dt": DAY, "ts": NOON, "a": [1, None], "m": [("k", 0.5)], "st": {"a": 1, "l": ["x"]}}
        nothing = dict.fromkeys(expected)
        batch = batch_of(ddl, [row, "{}", row, row])
        self.assertEqual([expected, nothing, expected, expected], batch.to_pylist())
        self.assertEqual([nothing, expected], batch_of(ddl, [row, "{}", row, row], 1, 2).to_pylist())
        self.assertEqual([], batch_of(ddl, []).to_pylist())
        self.assertEqual(pa.timestamp("us", "UTC"), batch.schema.field("ts").type)
        self.assertEqual(pa.string_view(), batch.schema.field("s").type)


def main():
    global BRIDGE
    BRIDGE = ctypes.CDLL(sys.argv.pop(1))
    for name in ("bridge_bytes_in_use", "bridge_releases"):
        getattr(BRIDGE, name).restype = ctypes.c_int64
    unittest.main()


if __name__ == "__main__":
    main()
