"""Table: what a live table held after an epoch, or an answer to SQL."""
import ctypes
import html

import pyarrow as pa

from . import _library as c

SHOWN_ROWS = 20


class Table:
    """A live table as it stood when it was asked for, or an answer to SQL. `arrow` is a pyarrow.Table over the engine's own
    memory. Of an answer `name` and `epoch` are None, and `more` says that there were more than `max_rows`."""

    def __init__(self, query, name, arrow, epoch, dropped_rows, more=False):
        self._query = query
        self.more = more
        self.name = name
        self.arrow = arrow
        self.epoch = epoch
        self.dropped_rows = dropped_rows

    def __len__(self):
        return self.arrow.num_rows

    def __arrow_c_stream__(self, requested_schema=None):
        return self.arrow.__arrow_c_stream__(requested_schema)

    @property
    def schema(self):
        return self.arrow.schema

    def to_pylist(self):
        return self.arrow.to_pylist()

    def to_pandas(self):
        return self.arrow.to_pandas()

    def show(self, n=SHOWN_ROWS, truncate=True):
        """Prints the first rows as Spark does."""
        print(self._query._show(self.arrow, n, truncate), end="")

    def __repr__(self):
        if self.name is None:
            return f"Table({len(self)} rows)"
        return f"Table({self.name!r}, {len(self)} rows, epoch {self.epoch})"

    def _repr_html_(self):
        head = self.arrow.slice(0, SHOWN_ROWS)
        names = "".join(f"<th>{html.escape(name)}</th>" for name in self.arrow.column_names)
        columns = [column.to_pylist() for column in head.columns]
        rows = "".join("<tr>" + "".join(f"<td>{'NULL' if cell is None else html.escape(str(cell))}</td>" for cell in row) + "</tr>"
                       for row in zip(*columns))
        more = f"<p>{len(self)} rows, the first {SHOWN_ROWS} are shown</p>" if len(self) > SHOWN_ROWS else ""
        return f"<table><thead><tr>{names}</tr></thead><tbody>{rows}</tbody></table>{more}"


def import_stream(stream):
    """A C stream, taken over, as a pyarrow.Table."""
    reader = pa.RecordBatchReader._import_from_c(ctypes.addressof(stream))
    return reader.read_all()


def export_stream(table):
    """A pyarrow.Table as a C stream, for a function that takes it over."""
    stream = c.ArrowArrayStream()
    pa.RecordBatchReader.from_batches(table.schema, table.to_batches())._export_to_c(ctypes.addressof(stream))
    return stream
