DROP INDEX device_flows_under_way;
DROP INDEX authorizations_by_time;
