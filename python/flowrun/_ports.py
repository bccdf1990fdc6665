"""Push and Pull: pyarrow batches into a running pipeline, and out of it."""
import ctypes
from ctypes import addressof, byref, c_int64

import pyarrow as pa

from . import _library as c
from ._errors import Error, Timeout

# How long a call may be deaf to Ctrl-C.
SLICE = 0.1


def in_slices(call, seconds):
    """Calls `call(seconds)` again and again, so that Python gets to look at signals between."""
    left = seconds
    while True:
        piece = SLICE if left is None else min(left, SLICE)
        try:
            return call(piece)
        except Timeout:
            if left is not None:
                left -= piece
                if left <= 0:
                    raise


class Ticket:
    """What became of a batch that was pushed."""

    def __init__(self, push, number):
        self._push = push
        self.number = number

    @property
    def committed(self):
        """Whether it is committed in every sink."""
        return c.library.flowrun_push_committed(self._push._handle) >= self.number

    def wait(self, timeout=None):
        """Until it is committed in every sink; raises why it never will be."""
        in_slices(lambda piece: c.check(c.library.flowrun_push_wait, self._push._handle, self.number, c.microseconds(piece)), timeout)

    def __repr__(self):
        return f"Ticket({self.number}, {'committed' if self.committed else 'not committed yet'})"


class Push:
    """A `source: push`."""

    def __init__(self, engine, node):
        handle = ctypes.c_void_p()
        c.check(c.library.flowrun_push_open, engine, node.encode(), byref(handle))
        self._handle = handle
        raw = c.ArrowSchema()
        c.library.flowrun_push_schema(handle, byref(raw))
        self.schema = pa.Schema._import_from_c(addressof(raw))

    def __del__(self):
        if getattr(self, "_handle", None):
            c.library.flowrun_push_release(self._handle)

    def push(self, rows, timeout=None):
        """A RecordBatch, a Table, or a list of dicts. Waits for room; the ticket is of the last batch."""
        if isinstance(rows, (list, tuple)):
            rows = pa.RecordBatch.from_pylist(list(rows), schema=self._plain_schema())
        batches = rows.combine_chunks().to_batches() if isinstance(rows, pa.Table) else [rows]
        ticket = None
        for batch in batches:
            ticket = in_slices(lambda piece, batch=batch: self._push(batch, piece), timeout)
        return ticket

    def try_push(self, batch):
        """Without waiting: None if there is no room now."""
        try:
            return self._push(batch, 0)
        except Timeout:
            return None

    def finish(self):
        """Nothing more comes: the source ends."""
        c.library.flowrun_push_finish(self._handle)

    def _push(self, batch, seconds):
        array, schema = c.ArrowArray(), c.ArrowSchema()
        batch._export_to_c(addressof(array), addressof(schema))
        number = c_int64()
        try:
            c.check(c.library.flowrun_push_batch, self._handle, byref(schema), byref(array), c.microseconds(seconds), byref(number))
        finally:
            release(array)
            release(schema)
        return Ticket(self, number.value)

    def _plain_schema(self):
        """With strings of a kind that every version of pyarrow can build."""
        plain = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}
        return pa.schema([field.with_type(plain.get(field.type, field.type)) for field in self.schema])


def release(struct):
    if struct.release:
        ctypes.CFUNCTYPE(None, ctypes.c_void_p)(struct.release)(addressof(struct))


class Pull:
    """A `sink: pull`. Iterates over (batch, epoch) to the end of the run."""

    def __init__(self, engine, node):
        handle = ctypes.c_void_p()
        c.check(c.library.flowrun_pull_open, engine, node.encode(), 0, byref(handle))
        self._handle = handle
        raw = c.ArrowSchema()
        c.library.flowrun_pull_schema(handle, byref(raw))
        self.schema = pa.Schema._import_from_c(addressof(raw))

    def __del__(self):
        if getattr(self, "_handle", None):
            c.library.flowrun_pull_release(self._handle)

    def pull(self, timeout=None):
        """(batch, epoch) of the next batch that is committed; None when the run is over and all was taken."""
        return in_slices(self._pull, timeout)

    def __iter__(self):
        return iter(self.pull, None)

    def _pull(self, seconds):
        array, info = c.ArrowArray(), c.PullInfo()
        try:
            c.check(c.library.flowrun_pull_batch, self._handle, c.microseconds(seconds), byref(array), byref(info))
        except Error as error:
            if error.code == "ended":
                return None
            raise
        return pa.RecordBatch._import_from_c(addressof(array), self.schema), info.epoch
