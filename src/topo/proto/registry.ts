/**
 * Every message by its full protobuf name. Loads all tables: for edges that meet names at run time
 * (and for tests); a command that knows what it prints imports that package's table instead.
 */
import * as binlogdata from './messages-binlogdata.ts';
import * as query from './messages-query.ts';
import * as querythrottler from './messages-querythrottler.ts';
import * as tabletmanagerdata from './messages-tabletmanagerdata.ts';
import * as topodata from './messages-topodata.ts';
import * as vschema from './messages-vschema.ts';
import * as workflow from './messages-vtctldata-workflow.ts';
import * as vtctldata from './messages-vtctldata.ts';
import * as vtorcdata from './messages-vtorcdata.ts';
import * as vttime from './messages-vttime.ts';
import { EnumType, MessageType } from './schema.ts';

const PACKAGES = [
  binlogdata,
  query,
  querythrottler,
  tabletmanagerdata,
  topodata,
  vschema,
  workflow,
  vtctldata,
  vtorcdata,
  vttime,
];

let byName: ReadonlyMap<string, MessageType> | undefined;

/** All messages, in no particular order. */
export function allMessages(): readonly MessageType[] {
  return PACKAGES.flatMap((members) => Object.values(members)).filter((member) => member instanceof MessageType);
}

/** All enums, in no particular order. */
export function allEnums(): readonly EnumType[] {
  return PACKAGES.flatMap((members) => Object.values(members)).filter((member) => member instanceof EnumType);
}

/** The message of this full name, as `topodata.Shard`, or undefined. */
export function messageNamed(name: string): MessageType | undefined {
  byName ??= new Map(allMessages().map((type) => [type.name, type]));
  return byName.get(name);
}
