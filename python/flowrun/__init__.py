"""flowrun inside Python.

    import flowrun
    q = flowrun.start("pipelines/iot.yaml", only=["table"])
    q.table("event_per_window").show(50, False)
    q.stop()
"""
from ._errors import Diagnostic, Error, PipelineError, Timeout
from ._library import library as _functions
from ._ports import Pull, Push, Ticket
from ._query import Query, load, run, start
from ._registry import Registry
from ._table import Table

__version__ = _functions.flowrun_version().decode()
__all__ = ["Diagnostic", "Error", "PipelineError", "Pull", "Push", "Query", "Registry", "Table", "Ticket", "Timeout", "load", "run",
           "start"]
