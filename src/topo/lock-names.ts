import { lockDirs } from './paths.ts';

/** What a lock is about. */
export interface LockName {
  kind: 'keyspace' | 'shard' | 'workflow' | 'routing rules' | 'other';
  /** The keyspace, shard or workflow. */
  name: string;
}

/** Reads the directory that a lock is taken on. */
export function nameOfLock(resource: string): LockName {
  const [, keyspace, shard] = /^keyspaces\/([^/]+)\/shards\/([^/]+)$/.exec(resource) ?? [];
  if (keyspace !== undefined) return { name: `${keyspace}/${shard}`, kind: 'shard' };
  if (resource.startsWith('keyspaces/')) return { name: resource.slice('keyspaces/'.length), kind: 'keyspace' };
  const named = lockDirs.named('');
  if (resource.startsWith(named)) return { name: resource.slice(named.length), kind: 'workflow' };
  return { name: resource, kind: resource === lockDirs.routingRules ? 'routing rules' : 'other' };
}

/** A lock as people read and type it: `keyspace commerce`, `shard commerce/0`, `named customer/c2c`, `routing_rules`. */
export function lockText(resource: string): string {
  const { kind, name } = nameOfLock(resource);
  if (kind === 'workflow') return `named ${name}`;
  return kind === 'keyspace' || kind === 'shard' ? `${kind} ${name}` : name;
}

/**
 * The directory that somebody means: by its text (a colon will do for the blank), by its own name, or by the name alone of a
 * keyspace, a shard or a workflow. Of several that it may be, those that `there` has come first.
 */
export function resourceOf(typed: string, there: readonly string[]): string | undefined {
  const text = typed.trim().replace(/^\/+|\/+$/g, '');
  const [, kind = '', name = ''] = /^(keyspace|shard|named|workflow|routing)[\s:]+(\S+)$/i.exec(text) ?? [];
  if (kind === '') return possible(text).find((one) => there.includes(one)) ?? possible(text)[0];
  switch (kind.toLowerCase()) {
    case 'keyspace':
      return name.includes('/') ? undefined : lockDirs.keyspace(name);
    case 'shard':
      return shardDir(name);
    case 'routing':
      return /^rules$/i.test(name) ? lockDirs.routingRules : undefined;
    default:
      return lockDirs.named(name.includes('/') ? name : name.replace('.', '/'));
  }
}

/** What a word without a kind may be, the likeliest first. */
function possible(text: string): string[] {
  if (text === '' || /\s/.test(text)) return [];
  if (/^routing[_-]?rules$/i.test(text)) return [lockDirs.routingRules];
  if (text.startsWith('keyspaces/') || text.startsWith(lockDirs.named(''))) return [text];
  if (!text.includes('/')) return [lockDirs.keyspace(text), ...(text.includes('.') ? [lockDirs.named(text.replace('.', '/'))] : [])];
  const shard = shardDir(text);
  return [lockDirs.named(text), ...(shard === undefined ? [] : [shard])];
}

function shardDir(name: string): string | undefined {
  const [keyspace = '', shard = '', ...more] = name.split('/');
  return keyspace === '' || shard === '' || more.length > 0 ? undefined : lockDirs.shard(keyspace, shard);
}
