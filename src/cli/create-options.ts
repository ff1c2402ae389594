import { plainError, UserError } from '../lib/errors.ts';
import type { OnDDLAction } from '../topo/proto/types-workflow.ts';
import { checkConfig } from '../tablet/vreplication/config.ts';
import { cellNames } from '../topo/cells.ts';
import type { Cluster } from '../tablet/cluster.ts';
import type { CommandScope } from './scope.ts';
import type { Invocation } from './spec.ts';

/** What `create` of every kind of workflow checks and reads alike. Vitess: go/cmd/vtctldclient/command/vreplication/common/utils.go. */

/** What `--on-ddl` may say; in any case of letters. */
export const ON_DDL: readonly string[] = ['IGNORE', 'STOP', 'EXEC', 'EXEC_IGNORE'];

/** The names that `--config-overrides` takes. Vitess: go/vt/vttablet/common/config.go. */
const CONFIG = [
  'vreplication-experimental-flags',
  'vreplication-net-read-timeout',
  'vreplication-net-write-timeout',
  'vreplication-copy-phase-duration',
  'vreplication-retry-delay',
  'vreplication-max-time-to-retry-on-error',
  'relay-log-max-size',
  'relay_log_max_size',
  'relay-log-max-items',
  'relay_log_max_items',
  'vreplication-replica-lag-tolerance',
  'vreplication-heartbeat-update-interval',
  'vreplication-store-compressed-gtid',
  'vreplication-parallel-insert-workers',
  'vstream-packet-size',
  'vstream_packet_size',
  'vstream-dynamic-packet-size',
  'vstream_dynamic_packet_size',
  'vstream_binlog_rotation_threshold',
  'vstream-binlog-rotation-threshold',
];

/** vtctldclient's own checks, in its order. Throws UserError. */
export function checkCreateOptions({ flags, spec }: Invocation): void {
  const has = (name: string): boolean => spec.flags.some((flag) => flag.name === name);
  if (has('on-ddl') && !ON_DDL.includes(flags.str('on-ddl').toUpperCase())) throw new UserError(`invalid on-ddl value: ${flags.str('on-ddl')}`);
  if (has('all-cells') && flags.given('cells') && flags.given('all-cells')) throw new UserError('cannot specify both --cells and --all-cells');
  if (flags.tabletTypes('tablet-types').length === 0) {
    throw new UserError('invalid tablet-types value, at least one valid tablet type must be specified');
  }
}

/** `--on-ddl`. */
export function onDdlOf({ flags }: Invocation): OnDDLAction {
  return flags.str('on-ddl').toUpperCase() as OnDDLAction;
}

/** `--defer-secondary-keys`, whose default is the release's. */
export function deferSecondaryKeysOf({ flags }: Invocation, { release }: Cluster): boolean {
  return flags.given('defer-secondary-keys') ? flags.bool('defer-secondary-keys') : release.behaviours.deferByDefault;
}

/** `--config-overrides` as a record. Throws UserError for what is no setting of VReplication. */
export function configOverrides({ flags }: Invocation): Record<string, string> {
  const config: Record<string, string> = {};
  for (const pair of flags.strings('config-overrides')) {
    const at = pair.indexOf('=');
    if (at < 0) throw new UserError(`invalid config override format (var=value expected): ${pair}`);
    const name = pair.slice(0, at);
    if (!CONFIG.includes(name)) throw new UserError(`unknown vreplication config flag: ${name}`);
    config[name] = pair.slice(at + 1);
  }
  return config;
}

/** On `hardened` a setting that no tablet takes is refused at once; on a release the tablet refuses the streams that are made with it. */
export function refuseBadConfig({ release }: Cluster, config: Readonly<Record<string, string>>): void {
  if (!release.vitess) checkConfig(config);
}

/** `--cells`, or every cell there is for `--all-cells`. */
export async function cellsOf({ flags, spec }: Invocation, { ctx, cluster }: CommandScope): Promise<string[]> {
  if (!spec.flags.some((flag) => flag.name === 'all-cells') || !flags.bool('all-cells')) return flags.strings('cells').map((cell) => cell.trim());
  const cells = await cellNames(ctx, cluster.topo);
  if (cells.length === 0) throw plainError("failed to get current cells: node doesn't exist: cells");
  return cells;
}
