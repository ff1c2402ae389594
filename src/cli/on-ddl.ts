/** What `--on-ddl` may say; in any case of letters. */
export const ON_DDL: readonly string[] = ['IGNORE', 'STOP', 'EXEC', 'EXEC_IGNORE'];
