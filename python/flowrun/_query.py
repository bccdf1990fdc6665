"""Query: one pipeline inside Python, from its text to its end. The handle has Spark's names."""
import atexit
import ctypes
import json
import os
import sys
import threading
import weakref
from ctypes import byref, c_char_p, c_int64, c_uint64, c_void_p

from . import _library as c
from ._errors import Diagnostic, Error, PipelineError, Timeout
from ._ports import Pull, Push, in_slices
from ._table import Table, export_stream, import_stream

LOADED, RUNNING, ENDED, FAILED = range(4)
LEVELS = ("info", "warning", "error")
_alive = weakref.WeakSet()


def _texts(words):
    words = [word.encode() for word in words]
    return (c_char_p * len(words))(*words), len(words)


class Query:
    """A pipeline: loaded, running, or over. Destroyed, it stops. Any thread may call anything."""

    def __init__(self, source, only=(), set=None, threads=0, memory=0, epochs=0, run_for=0, plugins=(), registry=None, on_log=None,
                 on_console=None, stepped=False, plugin_folders=()):
        self._handle = None
        self._registry = registry  # whose functions the engine calls
        settings = c.Settings(threads=threads, stepped=stepped, memory=memory, epochs=epochs, run_for=int(run_for * 1e6))
        settings.set, settings.num_set = _texts(f"{key}={value}" for key, value in dict(set or {}).items())
        settings.only, settings.num_only = _texts([only] if isinstance(only, str) else only)
        settings.plugins, settings.num_plugins = _texts(plugins)
        settings.plugin_folders, settings.num_plugin_folders = _texts(map(str, plugin_folders))
        settings.registry = registry._handle if registry else None
        self._on_console = c.CONSOLE(lambda _context, text, size: (on_console or _print)(ctypes.string_at(text, size).decode("utf-8", "replace")))
        settings.on_console = self._on_console
        if on_log:
            self._on_log = c.LOG(lambda _context, level, node, text: on_log(LEVELS[level], node.decode(), text.decode("utf-8", "replace")))
            settings.on_log = self._on_log
        self._handle, self.diagnostics = _load(source, settings)
        _alive.add(self)

    def __del__(self):
        self.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Stops, waits for the end and takes everything down."""
        handle, self._handle = getattr(self, "_handle", None), None
        if handle:
            c.library.flowrun_engine_destroy(handle)

    @property
    def name(self):
        return c.library.flowrun_engine_name(self._engine()).decode()

    def start(self):
        c.check(c.library.flowrun_engine_start, self._engine())
        return self

    def stop(self):
        """Ends the epoch, commits it, and waits for the end. Windows stay open."""
        c.library.flowrun_engine_stop(self._engine())
        if c.library.flowrun_engine_state(self._engine()) == RUNNING:
            in_slices(lambda piece: c.check(c.library.flowrun_engine_wait, self._engine(), c.microseconds(piece)), None)

    def drain(self, timeout=None):
        """Waits until everything that was pushed is committed, then stops."""
        c.check(c.library.flowrun_engine_drain, self._engine(), c.microseconds(timeout))

    def await_termination(self, timeout=None):
        """Until the run is over; raises why it failed. With a timeout in seconds: whether it is over."""
        try:
            in_slices(lambda piece: c.check(c.library.flowrun_engine_wait, self._engine(), c.microseconds(piece)), timeout)
            return True
        except Timeout:
            return False

    def step(self, timeout=0):
        """With stepped=True: runs what is there on this thread; whether an epoch was made."""
        step = c.Step()
        c.check(c.library.flowrun_engine_step, self._engine(), c.microseconds(timeout), byref(step))
        return bool(step.made_epoch)

    @property
    def is_active(self):
        return self._handle is not None and c.library.flowrun_engine_state(self._handle) == RUNNING

    @property
    def exception(self):
        """Why the run failed, or None."""
        try:
            c.check(c.library.flowrun_engine_outcome, self._engine())
            return None
        except Error as error:
            return error

    @property
    def last_progress(self):
        """The record of the last epoch as a dict; None before the first."""
        text = c.take_text(c.library.flowrun_engine_progress_json(self._engine()))
        return json.loads(text) if text else None

    def explain(self):
        print(c.take_text(c.library.flowrun_engine_explain(self._engine())))

    def table(self, name):
        """The live table of that name as of its last commit."""
        stream, info = c.ArrowArrayStream(), c.TableInfo()
        c.check(c.library.flowrun_engine_table, self._engine(), name.encode(), 0, byref(stream), byref(info))
        return Table(self, name, import_stream(stream), info.epoch, info.dropped_rows)

    def sql(self, statement, max_rows=0, timeout=None):
        """The answer to one SELECT over the live tables and the static ones, while the query runs. Ctrl-C ends the statement;
        so does `timeout`, in seconds. `max_rows`: at most so many, 0: all."""
        cancelled, failed = threading.Event(), []
        options = c.SqlOptions(max_rows=max_rows, cancelled=c.CANCELLED(lambda _context: cancelled.is_set()))
        if timeout is not None:
            options.time_limit = max(c.microseconds(timeout), 1)
        stream, info = c.ArrowArrayStream(), c.SqlInfo()

        def ask():
            try:
                c.check(c.library.flowrun_engine_sql, self._engine(), statement.encode(), byref(options), byref(stream), byref(info))
            except Error as error:
                failed.append(error)

        # Beside this thread, which alone hears of Ctrl-C.
        asking = threading.Thread(target=ask)
        asking.start()
        try:
            asking.join()
        except BaseException:
            cancelled.set()
            asking.join()
            raise
        if failed:
            raise failed[0]
        return Table(self, None, import_stream(stream), None, 0, more=bool(info.more))

    def push(self, node):
        """The `source: push` of that node."""
        return Push(self._engine(), node)

    def pull(self, node):
        """The `sink: pull` of that node."""
        return Pull(self._engine(), node)

    def _show(self, arrow, rows, truncate):
        cut = 20 if truncate is True else -1 if truncate is False else int(truncate)
        text, stream = c_void_p(), export_stream(arrow.slice(0, rows + 1))
        c.check(c.library.flowrun_engine_show_rows, self._engine(), byref(stream), c_int64(rows), c_int64(cut), byref(text))
        return c.take_text(text)

    def _engine(self):
        if not self._handle:
            raise Error("this query was closed")
        return self._handle

    def __repr__(self):
        state = "closed" if not self._handle else ("loaded", "running", "ended", "failed")[c.library.flowrun_engine_state(self._handle)]
        return f"<flowrun.Query {state}>"

    def _repr_html_(self):
        progress = self.last_progress if self._handle else None
        return f"<pre>{self!r}\n{json.dumps(progress, indent=1) if progress else ''}</pre>"


def _print(text):
    sys.stdout.write(text)
    sys.stdout.flush()


def _load(source, settings):
    engine, found, failure = c_void_p(), c_void_p(), c.Failure()
    outcome = (byref(settings), byref(engine), byref(found), byref(failure))
    if isinstance(source, dict):
        builder = c.library.flowrun_builder_new()
        for key, value in source.items():
            _build(builder, key, value)
        code = c.library.flowrun_load_built(builder, b"pipeline", *outcome)
        c.library.flowrun_builder_release(builder)
    elif isinstance(source, str) and "\n" in source:
        text = source.encode()
        code = c.library.flowrun_load_text(text, c_uint64(len(text)), b"pipeline", *outcome)
    else:
        code = c.library.flowrun_load_file(os.fsencode(source), *outcome)
    diagnostics, text = _diagnostics(found)
    try:
        failure.raise_for(code)
    except Error as error:
        raise PipelineError(error, diagnostics, text) from None
    return engine, diagnostics


def _build(builder, key, value):
    key = None if key is None else str(key).encode()
    if isinstance(value, dict):
        c.library.flowrun_builder_map(builder, key)
        for name, item in value.items():
            _build(builder, name, item)
        c.library.flowrun_builder_end(builder)
    elif isinstance(value, (list, tuple)):
        c.library.flowrun_builder_list(builder, key)
        for item in value:
            _build(builder, None, item)
        c.library.flowrun_builder_end(builder)
    elif isinstance(value, str):
        c.library.flowrun_builder_text(builder, key, value.encode())
    else:
        c.library.flowrun_builder_plain(builder, key, json.dumps(value).encode())


def _diagnostics(found):
    listed = []
    for index in range(c.library.flowrun_diagnostics_count(found)):
        raw = c.Diagnostic()
        c.library.flowrun_diagnostics_get(found, index, byref(raw))
        listed.append(Diagnostic("warning" if raw.severity else "error", raw.message.decode(), raw.node.decode(), raw.file.decode(),
                                 raw.line, raw.column))
    text = c.library.flowrun_diagnostics_text(found).decode("utf-8", "replace")
    c.library.flowrun_diagnostics_release(found)
    return listed, text


def load(source, **settings):
    """A pipeline from a file's path, a text of several lines, or a dict; checked, not yet running."""
    return Query(source, **settings)


def start(source, **settings):
    """The same, running."""
    return Query(source, **settings).start()


def run(source, **settings):
    """The same, to its end. Ctrl-C stops it: the epoch is committed, and KeyboardInterrupt goes on."""
    query = start(source, **settings)
    try:
        query.await_termination()
    except KeyboardInterrupt:
        query.stop()
        raise
    return query


@atexit.register
def _close_all():
    for query in list(_alive):
        query.close()
