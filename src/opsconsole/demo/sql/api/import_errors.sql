-- Files that cannot be imported.
select e.id as import_error_id, e.timestamp, e.filename, e.bundle_name, e.stacktrace as stack_trace
from import_error e
where true
