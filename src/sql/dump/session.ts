/** The session variables that a script sets, as far as they change how it is read. */
import { tokenize } from '../tokenizer.ts';
import type { LoadScope } from './columns.ts';
import type { ScriptMode } from './statements.ts';

/** The state of the session that a script believes it has. */
export interface DumpSession {
  mode: ScriptMode;
  scope: LoadScope;
  /** The database of USE, or the first that the script makes. */
  database?: string;
}

/** Variables that dumps set and that change nothing of what is kept here. */
const HARMLESS =
  /^(?:@\w*|names|character|charset|character_set_\w+|collation_\w+|time_zone|unique_checks|foreign_key_checks|sql_notes|note_verbosity|autocommit|sql_log_bin|gtid_purged|sql_quote_show_create|default_storage_engine|storage_engine|max_allowed_packet|net_buffer_length|sql_require_primary_key|information_schema_stats_expiry|sql_safe_updates|sql_auto_is_null|sql_big_selects|insert_id|timestamp|wait_timeout|interactive_timeout|lock_wait_timeout|innodb_\w+|explicit_defaults_for_timestamp|default_\w+|session_track_\w+|log_bin_trust_function_creators|show_create_table_verbosity|show_create_table_skip_secondary_engine|transaction|row_security|bulk_insert_buffer_size)$/i;

/** A session at the beginning of a script. `now` is what CURRENT_TIMESTAMP means throughout. */
export function newSession(now: string): DumpSession {
  return {
    mode: { delimiter: ';', backslashes: true },
    scope: { now, writing: true, rowNumber: 1, zeroGivesId: true },
  };
}

/** Follows a SET. Returns the names that nothing here follows. */
export function applySet(session: DumpSession, sql: string): string[] {
  const unknown: string[] = [];
  for (const { name, value } of assignments(sql)) {
    if (name === 'sql_mode') applySqlMode(session, value);
    else if (!HARMLESS.test(name)) unknown.push(name);
  }
  return unknown;
}

function applySqlMode(session: DumpSession, value: string): void {
  // `@OLD_SQL_MODE` at the end of a dump: what was before, which is what a session begins with.
  const modes = value.toUpperCase();
  session.scope.zeroGivesId = !modes.includes('NO_AUTO_VALUE_ON_ZERO');
  session.mode.backslashes = !modes.includes('NO_BACKSLASH_ESCAPES');
}

/** The variables of a SET, lower case and without scope, each with the text of its value. */
function assignments(sql: string): { name: string; value: string }[] {
  const tokens = tokenize(sql).slice(1);
  const found: { name: string; value: string }[] = [];
  let begins = true;
  let depth = 0;
  for (const { type, text } of tokens) {
    if (begins && /^(?:global|session|local|persist|persist_only)$/i.test(text)) continue;
    if (begins) {
      if (type === 'end') break;
      const name = text.startsWith('@@') || !text.startsWith('@') ? text.replace(/^@@/, '').replace(/^(?:global|session|local)\./i, '') : '@';
      if (/^(?:global|session|local)$/i.test(name)) continue;
      if (text === '.') continue;
      found.push({ name: name.toLowerCase(), value: '' });
      begins = false;
      continue;
    }
    if (text === '(') depth += 1;
    if (text === ')') depth -= 1;
    if (type === 'op' && text === ',' && depth === 0) begins = true;
    else if (type !== 'end') found.at(-1)!.value += ` ${text}`;
  }
  return found;
}
