const NO_MIGRATE = 'Migrate workflows, which come from another cluster, are not emulated';
const NO_COMMAND = 'there is no such command here: keyspaces and shards are made by init and by tablets that start';

/** Cases that say nothing of what this program does, and why. */
export const CANNOT_APPLY: Readonly<Record<string, string>> = {
  'dry_run.remove_target_tables': 'cancel, which removes the tables of a target, has no dry run',
  'dry_run.switch_keyspace_reads_multi_tenant': 'no command switches the reads of a primary, which its line names',
  'locks.delete_keyspace_locked_unless_force': NO_COMMAND,
  'locks.delete_shard_locked_unless_force': NO_COMMAND,
  'shard_names_keyranges.destination_strings': 'destinations are not printed; of the nine kinds a target can name three',
  'srv_keyspace.add_partitions_one_cell': 'nothing adds to a partition by itself: it is rebuilt, or a type is moved',
  'srv_keyspace.delete_partitions_one_cell': 'nothing takes from a partition by itself: it is rebuilt, or a type is moved',
  'srv_keyspace.change_shard_routing': 'a Reshard has one keyspace; between two no shards change places',
  'movetables_create.add_tables_without_copy': NO_MIGRATE,
  'movetables_create.migrate_source_equals_target_allowed': NO_MIGRATE,
  'movetables_create.non_empty_probe_query': 'rows are looked for without a statement; what comes of it is movetables_create.non_empty_target_tables',
  'reshard_create.duplicate_workflow_name': "a text of the client before vtctldclient; this release's is reshard_create.streams_already_on_target",
  'switch_traffic.journal_content_parsing': 'journals are looked up by their id, and not parsed: only the engine writes them',
  'cli_parsing.tablet_tags': 'there is no command that takes tags of tablets',
  'cancel_complete.migrate_complete_keep_data': NO_MIGRATE,
  'cancel_complete.migrate_tables_added_to_vschema': NO_MIGRATE,
  'cancel_complete.delete_shard_rules': 'no command deletes a shard with flags; a Reshard deletes those it has left, when they serve no more',
  'topo_records.create_keyspace_vschema': NO_COMMAND,
  'topo_records.create_shard_variants': NO_COMMAND,
  'topo_records.delete_keyspace': NO_COMMAND,
  'topo_records.delete_shards': NO_COMMAND,
};
