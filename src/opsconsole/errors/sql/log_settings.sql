-- How the server writes its log, and whether this role may read it. Cost: none. Versions: 10 and later.
-- Privilege: pg_monitor for its files (pg_ls_logdir), execute on pg_read_binary_file for what is in them.
select current_setting('logging_collector') = 'on' as collected,
       current_setting('log_destination') as destination,
       current_setting('log_timezone') as zone,
       current_setting('log_line_prefix') as prefix,
       has_function_privilege('pg_catalog.pg_ls_logdir()', 'execute') as may_list,
       has_function_privilege('pg_catalog.pg_read_binary_file(text, bigint, bigint)', 'execute') as may_read
