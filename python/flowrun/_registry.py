"""Registry: Python functions as operators of a pipeline, through the tables of flowrun_plugin.h."""
import ctypes
import itertools
from ctypes import CFUNCTYPE, POINTER, addressof, byref, c_char_p, c_int32, c_int64, c_uint32, c_uint64, c_void_p, cast

import pyarrow as pa

from . import _library as c

KIND_TRANSFORM, KIND_SINK = 1, 4
TEXT_WITH_OFFSETS = 1
SINK_BLOCKS = 1
ALL_MODES = 7
INVALID, DATA = 1, 2
ABI_MAJOR, ABI_MINOR = 1, 0


class PluginError(ctypes.Structure):
    _fields_ = [("size", c_uint64), ("text", c_void_p), ("capacity", c_uint64), ("option", c_void_p), ("option_capacity", c_uint64)]


class Text(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("size", c_uint64)]


class Spec(c.Struct):
    _fields_ = [("size", c_uint64), ("name", c_char_p), ("summary", c_char_p), ("doc", c_char_p), ("primary", c_void_p),
                ("options", c_void_p), ("num_options", c_uint64), ("ports", c_void_p), ("num_ports", c_uint64),
                ("examples", c_void_p), ("num_examples", c_uint64)]


class Component(c.Struct):
    _fields_ = [("size", c_uint64), ("kind", c_int32), ("flags", c_uint32), ("spec", c_void_p), ("table", c_void_p),
                ("context", c_void_p)]


class Plugin(c.Struct):
    _fields_ = [("size", c_uint64), ("abi_major", c_int32), ("abi_minor", c_int32), ("name", c_char_p), ("version", c_char_p),
                ("components", c_void_p), ("num_components", c_uint64)]


EMIT = CFUNCTYPE(c_int32, c_void_p, c_uint64, c_void_p, c_void_p, c_void_p)


class Emitter(ctypes.Structure):
    _fields_ = [("size", c_uint64), ("context", c_void_p), ("emit", EMIT)]


MAKE = CFUNCTYPE(c_int32, c_void_p, POINTER(c_void_p), c_void_p)
DESTROY = CFUNCTYPE(None, c_void_p)
BIND_TRANSFORM = CFUNCTYPE(c_int32, c_void_p, c_void_p, c_void_p, c_void_p)
APPLY = CFUNCTYPE(c_int32, c_void_p, c_void_p, c_void_p, c_void_p, POINTER(Emitter), c_void_p)
BIND_SINK = CFUNCTYPE(c_int32, c_void_p, c_void_p, c_void_p, c_void_p)
OPEN = CFUNCTYPE(c_int32, c_void_p, c_void_p, c_void_p)
WRITE = CFUNCTYPE(c_int32, c_void_p, c_int64, c_void_p, c_void_p)
COMMIT = CFUNCTYPE(c_int32, c_void_p, c_int64, Text, c_void_p)
ABORT = CFUNCTYPE(c_int32, c_void_p, c_int64, c_void_p)
RELEASE = CFUNCTYPE(None, c_void_p)


class TransformTable(c.Struct):
    _fields_ = [("size", c_uint64), ("make", MAKE), ("destroy", DESTROY), ("bind", BIND_TRANSFORM), ("open", c_void_p),
                ("make_scratch", c_void_p), ("destroy_scratch", c_void_p), ("apply", APPLY)]


class SinkTable(c.Struct):
    _fields_ = [("size", c_uint64), ("flags", c_uint32), ("modes", c_uint32), ("make", MAKE), ("destroy", DESTROY),
                ("bind", BIND_SINK), ("open", OPEN), ("write", WRITE), ("prepare", c_void_p), ("commit", COMMIT), ("abort", ABORT),
                ("close", c_void_p), ("cancel", c_void_p)]


def told(error, exception, code=DATA):
    """Writes an exception where the caller wants to read why."""
    raw = cast(error, POINTER(PluginError)).contents
    text = f"{type(exception).__name__}: {exception}".encode()[: max(raw.capacity - 1, 0)]
    ctypes.memmove(raw.text, text + b"\0", len(text) + 1)
    return code


def schema_of(ddl):
    """A schema as Spark's DDL writes it, strings as pyarrow's plain ones."""
    raw = c.ArrowSchema()
    c.check(c.library.flowrun_schema_of, ddl.encode(), byref(raw))
    schema = pa.Schema._import_from_c(addressof(raw))
    return pa.schema([field.with_type(pa.string() if field.type == pa.string_view() else field.type) for field in schema])


def batches_of(result, schema):
    """What a function gave back, as record batches."""
    if result is None:
        return []
    if isinstance(result, pa.RecordBatch):
        return [result]
    if isinstance(result, pa.Table):
        return result.to_batches()
    return [pa.RecordBatch.from_pylist(list(result), schema=schema)]


class _Described:
    """One operator's description, and all that it points to."""

    def __init__(self, name, kind, flags, table):
        self.objects = {}
        self.numbers = itertools.count(1)
        self.name = name.encode()
        self.table = table
        self.spec = Spec(name=self.name, summary=b"A Python function.")
        self.component = Component(kind=kind, flags=flags, spec=addressof(self.spec), table=addressof(table), context=None)
        self.components = (c_void_p * 1)(addressof(self.component))
        self.plugin = Plugin(abi_major=ABI_MAJOR, abi_minor=ABI_MINOR, name=self.name, version=b"0",
                             components=addressof(self.components), num_components=1)

    def make(self, _make, out, _error):
        out[0] = next(self.numbers)
        self.objects[out[0]] = {}
        return 0

    def destroy(self, number):
        self.objects.pop(number, None)


class _Transform(_Described):
    def __init__(self, name, call, output):
        self.call = call
        self.output = schema_of(output) if output else None
        super().__init__(name, KIND_TRANSFORM, TEXT_WITH_OFFSETS, TransformTable(
            make=MAKE(self.make), destroy=DESTROY(self.destroy), bind=BIND_TRANSFORM(self.bind), apply=APPLY(self.apply)))

    def bind(self, number, given, out, error):
        try:
            schema = import_schema(given)
            self.objects[number] = {"input": schema, "output": self.output or schema}
            self.objects[number]["output"]._export_to_c(out)
            return 0
        except Exception as exception:  # nothing of Python's may leave
            return told(error, exception, INVALID)

    def apply(self, number, _scratch, _epoch, batch, out, error):
        try:
            bound = self.objects[number]
            rows = pa.RecordBatch._import_from_c(batch, bound["input"])
            for made in batches_of(self.call(rows), bound["output"]):
                array, schema = c.ArrowArray(), c.ArrowSchema()
                made._export_to_c(addressof(array), addressof(schema))
                emitter = out.contents
                code = emitter.emit(emitter.context, 0, addressof(schema), addressof(array), error)
                release_schema(schema)
                if code != 0:
                    return code
            return 0
        except Exception as exception:
            return told(error, exception)


class _Sink(_Described):
    def __init__(self, name, call):
        self.call = call
        super().__init__(name, KIND_SINK, TEXT_WITH_OFFSETS, SinkTable(
            flags=SINK_BLOCKS, modes=ALL_MODES, make=MAKE(self.make), destroy=DESTROY(self.destroy), bind=BIND_SINK(self.bind),
            open=OPEN(lambda _number, _token, _error: 0), write=WRITE(self.write), commit=COMMIT(self.commit),
            abort=ABORT(self.abort)))

    def bind(self, number, given, _input, error):
        try:
            self.objects[number] = {"schema": import_schema(given), "rows": []}
            return 0
        except Exception as exception:
            return told(error, exception, INVALID)

    def write(self, number, _epoch, batch, error):
        try:
            bound = self.objects[number]
            bound["rows"].append(pa.RecordBatch._import_from_c(batch, bound["schema"]))
            return 0
        except Exception as exception:
            return told(error, exception)

    def commit(self, number, epoch, _token, error):
        try:
            bound = self.objects[number]
            rows, bound["rows"] = bound["rows"], []
            self.call(pa.Table.from_batches(rows, bound["schema"]), epoch)
            return 0
        except Exception as exception:
            return told(error, exception)

    def abort(self, number, _epoch, _error):
        self.objects[number]["rows"] = []
        return 0


def import_schema(pointer):
    """A copy: the schema stays the caller's."""
    raw = cast(pointer, POINTER(c.ArrowSchema)).contents
    borrowed = c.ArrowSchema()
    ctypes.memmove(addressof(borrowed), addressof(raw), ctypes.sizeof(raw))
    kept = NO_RELEASE
    borrowed.release = cast(kept, c_void_p).value
    return pa.Schema._import_from_c(addressof(borrowed))


@RELEASE
def NO_RELEASE(pointer):
    cast(pointer, POINTER(c.ArrowSchema)).contents.release = None


def release_schema(schema):
    if schema.release:
        RELEASE(schema.release)(addressof(schema))


class Registry:
    """Python functions for pipelines, by the names that these use.

        functions = flowrun.Registry()

        @functions.transform("loud")                 # in a pipeline: loud: { from: lines, loud: "" }
        def loud(batch): ...                         # RecordBatch -> RecordBatch, Table, list of dicts or None

        @functions.foreach_batch("mine")             # in a pipeline: out: { from: loud, sink: mine }
        def mine(table, epoch): ...
    """

    def __init__(self):
        self._handle = c.library.flowrun_registry_new()
        self._described = []

    def __del__(self):
        if getattr(self, "_handle", None):
            c.library.flowrun_registry_release(self._handle)

    def transform(self, name, output=None):
        """`output`: the DDL of the columns that come out, such as "x BIGINT"; none: the same as came in."""
        return lambda call: self._add(_Transform(name, call, output), call)

    def foreach_batch(self, name):
        """Called with all rows of an epoch and its number, when it is committed."""
        return lambda call: self._add(_Sink(name, call), call)

    def _add(self, described, call):
        c.check(c.library.flowrun_registry_add, self._handle, addressof(described.plugin), None, None)
        self._described.append(described)
        return call
