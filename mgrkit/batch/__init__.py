"""Many items through one job: isolated, resumable, whole or absent. Knows nothing of sound.

    items  ->  engine  ->  job(item, work) on a thread or in a process  ->  sink  ->  rows

``run`` takes lazily made ``Item`` objects, a picklable job and a sink. What a job writes lies
under a temporary name until the sink publishes it; the journal remembers what is finished.
"""

from mgrkit.batch.engine import run, run_now
from mgrkit.batch.executors.isolated import prepare
from mgrkit.batch.fetching import Fetched
from mgrkit.batch.model import Item, Job, Output, Summary, Work
from mgrkit.batch.options import Options
from mgrkit.batch.report import Report
from mgrkit.batch.sinks.folder import FolderSink
from mgrkit.batch.sinks.stream import StreamSink
from mgrkit.batch.sinks.table import TableSink

__all__ = [
    "Fetched",
    "FolderSink",
    "Item",
    "Job",
    "Options",
    "Output",
    "Report",
    "StreamSink",
    "Summary",
    "TableSink",
    "Work",
    "prepare",
    "run",
    "run_now",
]
