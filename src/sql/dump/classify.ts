/** What a statement of a dump is for, told by its first words. Only statements about tables are parsed in full. */

/** How a load treats a statement. */
export type Purpose =
  | { kind: 'set' }
  /** Locks, transactions, index switches, reads: nothing is to be done. */
  | { kind: 'nothing' }
  | { kind: 'use' }
  | { kind: 'tables' }
  | { kind: 'view'; name: string }
  /** Kept out, and said so: `what` names it, `why` says what follows. */
  | { kind: 'noted'; what: string; why: string }
  | { kind: 'refused'; what: string; next: string }
  | { kind: 'unknown' };

const NAME = '((?:`(?:[^`]|``)*`|[\\w$\\u0080-\\uffff]+)(?:\\s*\\.\\s*(?:`(?:[^`]|``)*`|[\\w$\\u0080-\\uffff]+))?)';
const USER = '(?:`[^`]*`|\'[^\']*\'|"[^"]*"|[^\\s@`\'"]+)';
const CREATE = String.raw`^create\s+(?:or\s+replace\s+)?(?:algorithm\s*=\s*\w+\s+)?(?:definer\s*=\s*${USER}(?:\s*@\s*${USER})?\s+)?(?:sql\s+security\s+\w+\s+)?(?:aggregate\s+)?`;
const VIEW = new RegExp(`${CREATE}view\\s+(?:if\\s+not\\s+exists\\s+)?${NAME}`, 'i');
const PROGRAM = new RegExp(`${CREATE}(trigger|procedure|function|event)\\s+(?:if\\s+not\\s+exists\\s+)?${NAME}`, 'i');

const NOTHING = [
  /^(?:un)?lock\s+tables?\b/i,
  /^(?:start\s+transaction|begin|commit|flush|analyze|optimize|check\s+table|select|show|do\s+0)\b/i,
  /^alter\s+table\s+.*\b(?:disable|enable)\s+keys\b/is,
  /^(?:create|drop|alter)\s+(?:database|schema)\b/i,
  /^drop\s+(?:view|trigger|procedure|function|event)\b/i,
];

const WHY: Record<string, string> = {
  trigger: 'is not run: what it would write is not written',
  procedure: 'is not kept: there is no CALL',
  function: 'is not kept: statements cannot use it',
  event: 'is not run: nothing happens on a schedule',
};

/** Administrative statements that no cluster here has a place for. */
const ADMIN = /^(grant|revoke|create\s+(?:user|role|server|tablespace|logfile)|drop\s+(?:user|role|server|tablespace)|alter\s+(?:user|role|event|view|instance|procedure|function)|rename\s+user|change\s+(?:master|replication)|reset\s+\w+|purge\s+\w+|install\s+\w+|uninstall\s+\w+|start\s+\w+|stop\s+\w+|kill)\b/i;
const TABLES = /^(?:create\s+table|create\s+(?:unique\s+|fulltext\s+|spatial\s+)?index|drop\s+tables?|drop\s+index|alter\s+table|rename\s+tables?|truncate)\b/i;

/** The statement's beginning without comments and the frames of executed ones. */
export function headOf(text: string): string {
  return text
    .slice(0, 2000)
    .replace(/\/\*!\d*/g, ' ')
    .replace(/\/\*.*?\*\//gs, ' ')
    .replace(/\*\//g, ' ')
    .trim();
}

/** A name as it is meant: without back-ticks. */
function plainName(text: string): string {
  return text.replace(/`((?:[^`]|``)*)`/g, (_, inner: string) => inner.replaceAll('``', '`'));
}

/** What a statement is for. */
export function purposeOf(text: string): Purpose {
  const head = headOf(text);
  if (/^set\b/i.test(head)) return { kind: 'set' };
  if (/^use\b/i.test(head)) return { kind: 'use' };
  if (NOTHING.some((pattern) => pattern.test(head))) return { kind: 'nothing' };
  const view = VIEW.exec(head)?.[1];
  if (view !== undefined) return { kind: 'view', name: plainName(view) };
  const [, what = '', name = ''] = PROGRAM.exec(head) ?? [];
  if (what !== '') return { kind: 'noted', what: `${what.toLowerCase()} ${plainName(name)}`, why: WHY[what.toLowerCase()] ?? '' };
  const admin = ADMIN.exec(head)?.[1];
  if (admin !== undefined) return { kind: 'noted', what: admin.toUpperCase().replace(/\s+/g, ' '), why: 'is not run' };
  if (TABLES.test(head)) return { kind: 'tables' };
  return refusal(head);
}

function refusal(head: string): Purpose {
  const word = (/^\w+/.exec(head)?.[0] ?? '').toUpperCase();
  if (word === 'INSERT' || word === 'REPLACE')
    return { kind: 'refused', what: `this form of ${word} is not loaded`, next: `write ${word} INTO t (..) VALUES (..)` };
  if (['UPDATE', 'DELETE', 'CALL', 'DO', 'WITH', 'LOAD', 'EXECUTE', 'PREPARE', 'HANDLER', 'ROLLBACK'].includes(word))
    return { kind: 'refused', what: `${word} is not run while a file is loaded`, next: 'leave it out, and run it with "switchtraffic query" afterwards' };
  if (/^create\s+temporary\b/i.test(head))
    return { kind: 'refused', what: 'temporary tables are not kept', next: 'make it a table, or leave it out' };
  if (/^mysql\w*:/i.test(head))
    return { kind: 'refused', what: 'a message of the dumping program stands in the file', next: 'remove the line' };
  return { kind: 'unknown' };
}
