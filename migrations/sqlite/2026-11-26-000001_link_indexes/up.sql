-- What was authorized last, by a version that does not write when as well.
CREATE INDEX authorizations_by_time ON authorizations (coalesce(authorized_at, created_at), id);

-- Device flows that are not over. `finished_at` tells it, which is written once; the stage and the time of the next poll are
-- rewritten by every poll. There are few of them: they live for an hour at most.
CREATE INDEX device_flows_under_way ON device_flows (expires_at) WHERE finished_at IS NULL;
