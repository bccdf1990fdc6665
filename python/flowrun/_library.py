"""libflowrun through ctypes: the structs and functions of flowrun_c.h, and failures made exceptions."""
import ctypes
import os
import pathlib
from ctypes import CFUNCTYPE, POINTER, byref, c_char_p, c_double, c_int, c_int32, c_int64, c_uint32, c_uint64, c_void_p

from ._errors import CODES, Error, Timeout

FOREVER = -1
OK, TIMEOUT, ENDED = 0, 7, 8


class Struct(ctypes.Structure):
    """A struct that begins with its size."""

    def __init__(self, **fields):
        super().__init__(size=ctypes.sizeof(self), **fields)


class ArrowSchema(ctypes.Structure):
    _fields_ = [("format", c_char_p), ("name", c_char_p), ("metadata", c_char_p), ("flags", c_int64), ("n_children", c_int64),
                ("children", c_void_p), ("dictionary", c_void_p), ("release", c_void_p), ("private_data", c_void_p)]


class ArrowArray(ctypes.Structure):
    _fields_ = [("length", c_int64), ("null_count", c_int64), ("offset", c_int64), ("n_buffers", c_int64), ("n_children", c_int64),
                ("buffers", c_void_p), ("children", c_void_p), ("dictionary", c_void_p), ("release", c_void_p),
                ("private_data", c_void_p)]


class ArrowArrayStream(ctypes.Structure):
    _fields_ = [("get_schema", c_void_p), ("get_next", c_void_p), ("get_last_error", c_void_p), ("release", c_void_p),
                ("private_data", c_void_p)]


class Failure(Struct):
    _fields_ = [("size", c_uint64), ("code", c_int32), ("line", c_int32), ("column", c_int32), ("reserved", c_int32),
                ("text", c_char_p), ("node", c_char_p), ("file", c_char_p)]

    def raise_for(self, code):
        """Raises what the call's code says, unless that is OK."""
        if code == OK:
            return
        text, node, file = (value.decode("utf-8", "replace") if value else "" for value in (self.text, self.node, self.file))
        line, column = self.line, self.column
        library.flowrun_failure_clear(byref(self))
        kind = Timeout if code == TIMEOUT else Error
        raise kind(text, CODES.get(code, "data"), node, file, line, column)


LOG = CFUNCTYPE(None, c_void_p, c_int32, c_char_p, c_char_p)
CANCELLED = CFUNCTYPE(c_int32, c_void_p)
PROGRESS = CFUNCTYPE(None, c_void_p, c_void_p)
CONSOLE = CFUNCTYPE(None, c_void_p, c_void_p, c_uint64)
SETTLED = CFUNCTYPE(None, c_void_p, c_int64, POINTER(Failure))


class Settings(Struct):
    _fields_ = [("size", c_uint64), ("set", POINTER(c_char_p)), ("num_set", c_uint64), ("only", POINTER(c_char_p)),
                ("num_only", c_uint64), ("plugins", POINTER(c_char_p)), ("num_plugins", c_uint64), ("registry", c_void_p),
                ("threads", c_int32), ("stepped", c_int32), ("memory", c_int64), ("epochs", c_int64), ("run_for", c_int64),
                ("clock", c_void_p), ("context", c_void_p), ("on_log", LOG), ("on_progress", PROGRESS), ("on_console", CONSOLE),
                ("plugin_folders", POINTER(c_char_p)), ("num_plugin_folders", c_uint64)]


class Diagnostic(Struct):
    _fields_ = [("size", c_uint64), ("severity", c_int32), ("line", c_int32), ("column", c_int32), ("length", c_int32),
                ("message", c_char_p), ("node", c_char_p), ("file", c_char_p)]


class TableInfo(Struct):
    _fields_ = [("size", c_uint64), ("epoch", c_int64), ("num_rows", c_int64), ("dropped_rows", c_int64)]


class SqlOptions(Struct):
    _fields_ = [("size", c_uint64), ("max_rows", c_int64), ("time_limit", c_int64), ("flags", c_uint32), ("reserved", c_uint32),
                ("cancelled", CANCELLED), ("context", c_void_p)]


class SqlInfo(Struct):
    _fields_ = [("size", c_uint64), ("num_rows", c_int64), ("more", c_int32), ("reserved", c_int32)]


class PullInfo(Struct):
    _fields_ = [("size", c_uint64), ("epoch", c_int64), ("last_of_epoch", c_int32), ("reserved", c_int32)]


class Step(Struct):
    _fields_ = [("size", c_uint64), ("made_epoch", c_int32), ("ended", c_int32), ("next_wake", c_int64)]


def find_library():
    """The library named by FLOWRUN_LIBRARY, the package's own, or the system's."""
    own = pathlib.Path(__file__).parent / "libflowrun.so"
    return os.environ.get("FLOWRUN_LIBRARY") or (str(own) if own.exists() else "libflowrun.so.0")


def declared():
    loaded = ctypes.CDLL(find_library())
    text, handle, failure = c_char_p, c_void_p, POINTER(Failure)
    functions = {
        "failure_clear": (None, failure), "text_free": (None, c_void_p), "version": (text,),
        "schema_of": (c_int32, text, c_void_p, failure),
        "registry_new": (handle,), "registry_release": (None, handle),
        "registry_add": (c_int32, handle, c_void_p, c_void_p, c_void_p, failure),
        "load_file": (c_int32, text, POINTER(Settings), POINTER(handle), POINTER(handle), failure),
        "load_text": (c_int32, text, c_uint64, text, POINTER(Settings), POINTER(handle), POINTER(handle), failure),
        "load_built": (c_int32, handle, text, POINTER(Settings), POINTER(handle), POINTER(handle), failure),
        "diagnostics_count": (c_uint64, handle), "diagnostics_get": (None, handle, c_uint64, POINTER(Diagnostic)),
        "diagnostics_text": (text, handle), "diagnostics_release": (None, handle),
        "builder_new": (handle,), "builder_release": (None, handle), "builder_map": (None, handle, text),
        "builder_list": (None, handle, text), "builder_text": (None, handle, text, text),
        "builder_plain": (None, handle, text, text), "builder_end": (None, handle),
        "engine_start": (c_int32, handle, failure), "engine_wait": (c_int32, handle, c_int64, failure),
        "engine_stop": (None, handle), "engine_drain": (c_int32, handle, c_int64, failure), "engine_state": (c_int32, handle),
        "engine_outcome": (c_int32, handle, failure), "engine_destroy": (None, handle),
        "engine_step": (c_int32, handle, c_int64, POINTER(Step), failure), "engine_wake_fd": (c_int, handle),
        "engine_table": (c_int32, handle, text, c_uint32, c_void_p, POINTER(TableInfo), failure),
        "engine_show": (c_int32, handle, text, c_int64, c_int64, POINTER(c_void_p), failure),
        "engine_show_rows": (c_int32, handle, c_void_p, c_int64, c_int64, POINTER(c_void_p), failure),
        "engine_sql": (c_int32, handle, text, POINTER(SqlOptions), c_void_p, POINTER(SqlInfo), failure),
        "engine_progress_json": (c_void_p, handle), "engine_explain": (c_void_p, handle), "engine_name": (text, handle),
        "push_open": (c_int32, handle, text, POINTER(handle), failure), "push_release": (None, handle),
        "push_schema": (None, handle, c_void_p),
        "push_batch": (c_int32, handle, c_void_p, c_void_p, c_int64, POINTER(c_int64), failure), "push_finish": (None, handle),
        "push_committed": (c_int64, handle), "push_wait": (c_int32, handle, c_int64, c_int64, failure),
        "push_on_settled": (None, handle, c_int64, SETTLED, c_void_p),
        "pull_open": (c_int32, handle, text, c_uint32, POINTER(handle), failure), "pull_release": (None, handle),
        "pull_schema": (None, handle, c_void_p),
        "pull_batch": (c_int32, handle, c_int64, c_void_p, POINTER(PullInfo), failure),
    }
    for name, (result, *arguments) in functions.items():
        function = getattr(loaded, "flowrun_" + name)
        function.restype = result
        function.argtypes = arguments
    return loaded


library = declared()


def check(function, *arguments):
    """Calls a function whose last argument is a failure, and raises what it says."""
    failure = Failure()
    failure.raise_for(function(*arguments, byref(failure)))


def take_text(pointer):
    """A text that the library gave away; None if there is none."""
    if not pointer:
        return None
    text = ctypes.string_at(pointer).decode("utf-8", "replace")
    library.flowrun_text_free(pointer)
    return text


def microseconds(seconds):
    return FOREVER if seconds is None else max(int(seconds * 1e6), 0)
