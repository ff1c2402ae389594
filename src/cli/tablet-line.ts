import { formatRfc3339 } from '../lib/go-time.ts';
import type { Tablet } from '../topo/proto/types.ts';
import { aliasText } from '../topo/tablets.ts';
import { goQuote } from '../lib/go-quote.ts';

/**
 * A tablet as eight words for awk: alias, keyspace, shard, type, address, MySQL address, tags, start of its term as
 * primary. Vitess: go/cmd/vtctldclient/cli/awk.go MarshalTabletAWK.
 */
export function tabletLine(tablet: Tablet): string {
  const { alias, keyspace = '', shard = '', type = 'UNKNOWN', primary_term_start_time: start } = tablet;
  const seconds = Number(start?.seconds ?? 0);
  return [
    aliasText(alias),
    keyspace || '<null>',
    shard || '<null>',
    String(type).toLowerCase(),
    hostPort(tablet.hostname, tablet.port_map?.['vt']),
    hostPort(tablet.mysql_hostname, tablet.mysql_port),
    tagText(tablet.tags ?? {}),
    seconds > 0 ? formatRfc3339(seconds * 1000) : '<null>',
  ].join(' ');
}

/** Go's net.JoinHostPort: an IPv6 address stands in brackets. */
function hostPort(host = '', port = 0): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function tagText(tags: Readonly<Record<string, string>>): string {
  const pairs = Object.keys(tags).toSorted().map((key) => `${key}: ${goQuote(tags[key] ?? '')}`);
  return `[${pairs.join(' ')}]`;
}
