-- Whoever waits for a table keeps all others waiting behind: what another program holds for longer is tried again later.
SET LOCAL lock_timeout = '5s';

-- A migration of their own: in that which adds the column, nobody could read the table before the index is there.

-- What was authorized last, by a version that does not write when as well. Both change when a user authorizes, and then alone.
CREATE INDEX authorizations_by_time ON authorizations (coalesce(authorized_at, created_at), id);

-- Device flows that are not over. `finished_at` tells it, which is written once; the stage and the time of the next poll are
-- rewritten by every poll, which therefore touches no index. There are few of them: they live for an hour at most.
CREATE INDEX device_flows_under_way ON device_flows (expires_at) WHERE finished_at IS NULL;
