-- Attempts with their conclusions, newest first. Cost: the index on (kind, at) bounds it by time; the texts are
-- looked for in the bodies of what is left (a body that is not JSON any more matches no text).
select i.attempt, i.at, i.body, c.body
from record as i
left join record as c on c.attempt = i.attempt and c.kind = 'conclusion'
where i.kind = 'intent'
  and (:since is null or i.at >= :since)
  and (:until is null or i.at < :until)
  and (:actor is null or json_extract(iif(json_valid(i.body), i.body, '{}'), '$.actor') glob :actor)
  and (:environment is null or json_extract(iif(json_valid(i.body), i.body, '{}'), '$.environment') glob :environment)
  and (:action is null or json_extract(iif(json_valid(i.body), i.body, '{}'), '$.action') glob :action)
  and (:target is null or json_extract(iif(json_valid(i.body), i.body, '{}'), '$.target') glob :target)
  and (:run is null or json_extract(iif(json_valid(i.body), i.body, '{}'), '$.run') glob :run)
  and (:outcome is null or coalesce(json_extract(iif(json_valid(c.body), c.body, '{}'), '$.outcome'), 'unknown') glob :outcome)
order by i.seq desc
limit :limit
