"""What can go wrong, as exceptions that carry the node and the place."""

CODES = {1: "invalid", 2: "data", 3: "unavailable", 4: "io", 5: "cancelled", 6: "exhausted", 7: "timeout", 8: "ended"}


class Error(Exception):
    """A call or a run failed. `node` and `file`, `line`, `column` say where in the pipeline, if that is known."""

    def __init__(self, text, code="invalid", node="", file="", line=0, column=0):
        super().__init__(text)
        self.code = code
        self.node = node or None
        self.file = file or None
        self.line = line or None
        self.column = column or None


class Timeout(Error, TimeoutError):
    """The time to wait is over."""


class PipelineError(Error):
    """A pipeline was refused. `diagnostics` has everything there is to say about it."""

    def __init__(self, error, diagnostics, text):
        super().__init__(text.rstrip() or str(error), error.code, error.node, error.file, error.line, error.column)
        self.diagnostics = diagnostics


class Diagnostic:
    """One thing to say about a pipeline."""

    def __init__(self, severity, message, node, file, line, column):
        self.severity = severity
        self.message = message
        self.node = node or None
        self.file = file or None
        self.line = line or None
        self.column = column or None

    def __repr__(self):
        return f"Diagnostic({self.severity}, node={self.node!r}, {self.line}:{self.column}, {self.message!r})"
