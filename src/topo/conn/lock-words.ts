import type { ProcessIdentity } from '../../runtime/processes.ts';

/** A lock's owner, as people read it. */
export function ownerText({ user, host, pid }: ProcessIdentity): string {
  return `${user}@${host} pid ${pid}`;
}

/** What Vitess writes into a lock. Somebody else's may hold anything. */
export function parseContents(contents: string): { Action?: string; Time?: string } {
  try {
    return JSON.parse(contents) as { Action?: string; Time?: string };
  } catch {
    return {};
  }
}

/** What a lock was taken for. */
export function actionOf(contents: string): string {
  return parseContents(contents).Action ?? '';
}
