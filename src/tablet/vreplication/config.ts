import { plainError } from '../../lib/errors.ts';
import { parseDuration } from '../../lib/duration.ts';

/** VReplication settings that a workflow may have of its own. Vitess: go/vt/vttablet/common/config.go. */

type Kind = 'int' | 'duration' | 'bool';

const KINDS: Readonly<Record<string, Kind>> = {
  'vreplication-experimental-flags': 'int',
  'vreplication-net-read-timeout': 'int',
  'vreplication-net-write-timeout': 'int',
  'vreplication-copy-phase-duration': 'duration',
  'vreplication-retry-delay': 'duration',
  'vreplication-max-time-to-retry-on-error': 'duration',
  'relay-log-max-size': 'int',
  relay_log_max_size: 'int',
  'relay-log-max-items': 'int',
  relay_log_max_items: 'int',
  'vreplication-replica-lag-tolerance': 'duration',
  'vreplication-heartbeat-update-interval': 'int',
  'vreplication-store-compressed-gtid': 'bool',
  'vreplication-parallel-insert-workers': 'int',
  'vstream-packet-size': 'int',
  vstream_packet_size: 'int',
  'vstream-dynamic-packet-size': 'bool',
  vstream_dynamic_packet_size: 'bool',
  // vtctldclient takes it with dashes too; no tablet does.
  vstream_binlog_rotation_threshold: 'int',
};

const TESTS: Readonly<Record<Kind, (value: string) => boolean>> = {
  int: (value) => /^[+-]?\d+$/.test(value) && BigInt.asIntN(64, BigInt(value)) === BigInt(value),
  bool: (value) => /^(?:[01tfTF]|true|TRUE|True|false|FALSE|False)$/.test(value),
  duration: (value) => {
    try {
      parseDuration(value);
      return true;
    } catch {
      return false;
    }
  },
};

/** Throws `invalid value for NAME: VALUE` unless a tablet could run by these settings. An empty value stands for none. */
export function checkConfig(config: Readonly<Record<string, string>>): void {
  const problems = Object.entries(config).flatMap(([name, value]) => {
    if (value === '') return [];
    const kind = KINDS[name];
    if (kind === undefined) return [`unknown vreplication config flag: ${name}`];
    return TESTS[kind](value) ? [] : [`invalid value for ${name}: ${value}`];
  });
  if (problems.length > 0) throw plainError(problems.join(', '));
}
