import { UserError } from '../lib/errors.ts';
import type { Invocation } from './spec.ts';

/** The VReplication settings that a workflow may have of its own. Vitess: go/vt/vttablet/common/config.go. */
const SETTINGS: ReadonlySet<string> = new Set([
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
]);

/** `--config-overrides`: settings by name, undefined where none are given. Throws UserError in vtctldclient's words. */
export function configOverrides({ flags }: Invocation): Record<string, string> | undefined {
  const given = flags.strings('config-overrides');
  if (given.length === 0) return undefined;
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=');
      if (at < 0) throw new UserError(`invalid config override format (var=value expected): ${text}`);
      const key = text.slice(0, at);
      if (!SETTINGS.has(key)) throw new UserError(`unknown vreplication config flag: ${key}`);
      return [key, text.slice(at + 1)];
    }),
  );
}
