import { suggest } from '../../lib/suggest.ts';
import { checkShape } from '../input/check-shape.ts';
import { FileError, type Place } from '../input/place.ts';
import { type PathPart, readYaml, type YamlFile } from '../input/yaml.ts';
import { type ScenarioDoc, type ScenarioStep, scenarioSchema } from './schema.ts';

/** One scenario to run: a file, or one case of a file, with its values in place. */
export interface Scenario {
  file: string;
  name: string;
  /** Which case it is, as `vitess=21.0.2`; '' for a file with one. */
  label: string;
  /** The release as written; `hardened` when nothing was. */
  vitess: string;
  doc: ScenarioDoc;
  /** The steps of this case, each with its number in the file, from 0. */
  steps: { index: number; step: ScenarioStep }[];
  placeOf(path: readonly PathPart[]): Place;
}

type Values = Readonly<Record<string, unknown>>;

/** What a case may be made of; the rest of the file is checked with the case's values in it. */
interface Head {
  cases: readonly Values[];
  versions: readonly unknown[];
}

const MOST_CASES = 1000;

/** The scenarios of a file, one for each case and release. Throws FileError with line and column. */
export function readScenarios(file: string, text: string): Scenario[] {
  const yaml = readYaml(file, text);
  const head = readHead(yaml);
  const all = head.cases.flatMap((values) => {
    const versions = values['vitess'] === undefined ? head.versions : [values['vitess']];
    return versions.map((vitess) => ({ ...values, vitess }) as Values);
  });
  if (all.length > MOST_CASES) throw new FileError(yaml.placeOf(['cases']), `makes ${all.length} cases; ${MOST_CASES} at most`);
  const labels = caseLabels(all);
  const asWritten = !text.includes('${');
  return all.map((values, index) => readCase(yaml, values, labels[index]!, asWritten));
}

/** As much of the file as says how many cases there are. Anything odd is left for the schema to name. */
function readHead(yaml: YamlFile): Head {
  const top = asMap(yaml.value);
  const given = asMap(top?.['given']);
  // Before values are put in: without them nothing in the file would be right.
  const wrongCases = top !== undefined && Object.hasOwn(top, 'cases') && !(Array.isArray(top['cases']) && top['cases'].length > 0);
  if (wrongCases) throw new FileError(yaml.placeOf(['cases']), '"cases" has to be a list of maps, one for each case');
  const cases = Array.isArray(top?.['cases']) && top['cases'].length > 0 ? top['cases'].map((entry) => asMap(entry) ?? {}) : [{}];
  const vitess = given?.['vitess'] ?? 'hardened';
  // `vitess: ${release}` takes each case's own.
  const versions = Array.isArray(vitess) && vitess.length > 0 ? vitess : [vitess];
  return { cases, versions };
}

function asMap(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
}

/** `asWritten`: no value stands anywhere in the file to be put in. */
function readCase(yaml: YamlFile, given: Values, label: string, asWritten: boolean): Scenario {
  const { vitess: wanted, ...own } = given;
  const vitess = fill(yaml, own, wanted, ['given', 'vitess']);
  const values: Values = { ...own, vitess };
  const top = asMap(yaml.value);
  const filled =
    top === undefined || asWritten
      ? yaml.value
      : Object.fromEntries(Object.entries(top).map(([key, value]) => [key, key === 'cases' ? value : fill(yaml, values, value, [key])]));
  const doc = checkShape({ ...yaml, value: filled }, scenarioSchema);
  return {
    file: yaml.file,
    name: doc.scenario,
    label,
    vitess: String(vitess),
    doc,
    steps: doc.steps.flatMap((step, index) => (applies(yaml, step, index, values) ? [{ index, step }] : [])),
    placeOf: (path) => yaml.placeOf(path),
  };
}

/** Puts the case's values where `${name}` stands; alone in a text it keeps the value's own kind. */
function fill(yaml: YamlFile, values: Values, value: unknown, path: readonly PathPart[]): unknown {
  if (typeof value === 'string') return fillText(yaml, values, value, path);
  if (Array.isArray(value)) return value.map((item, index) => fill(yaml, values, item, [...path, index]));
  const map = asMap(value);
  if (map === undefined) return value;
  return Object.fromEntries(
    Object.entries(map).map(([key, item]) => [String(fillText(yaml, values, key, [...path, key])), fill(yaml, values, item, [...path, key])]),
  );
}

function fillText(yaml: YamlFile, values: Values, text: string, path: readonly PathPart[]): unknown {
  if (!text.includes('${')) return text;
  const valueOf = (name: string): unknown => {
    if (Object.hasOwn(values, name)) return values[name];
    const names = Object.keys(values);
    const near = suggest(name, names);
    const hint = near === undefined ? '' : `; did you mean \${${near}}?`;
    throw new FileError(yaml.placeOf(path), `no case has a value "${name}"${hint}`, `values here: ${names.join(', ')}`);
  };
  const whole = /^\$\{([^{}]*)\}$/.exec(text);
  if (whole !== null) return valueOf(whole[1]!);
  return text.replace(/\$\{([^{}]*)\}/g, (_, name: string) => String(valueOf(name)));
}

/** Whether a step is for this case. */
function applies(yaml: YamlFile, step: ScenarioStep, index: number, values: Values): boolean {
  return Object.entries(step.when ?? {}).every(([name, wanted]) => {
    if (!Object.hasOwn(values, name)) throw new FileError(yaml.placeOfKey(['steps', index, 'when', name]), `no case has a value "${name}"`);
    const allowed = Array.isArray(wanted) ? wanted : [wanted];
    return allowed.some((one) => String(one) === String(values[name]));
  });
}

/** The shortest words that tell the cases apart: the first values in which they differ. */
function caseLabels(all: readonly Values[]): string[] {
  if (all.length === 1) return [''];
  const keys = ['vitess', ...Object.keys(all[0]!).filter((key) => key !== 'vitess')].filter((key) => isScalarIn(all, key));
  const chosen: string[] = [];
  const label = (values: Values): string => chosen.map((key) => `${key}=${String(values[key] ?? '')}`).join(' ');
  for (const key of keys) {
    const before = new Set(all.map(label)).size;
    chosen.push(key);
    if (new Set(all.map(label)).size === before) chosen.pop();
    if (new Set(all.map(label)).size === all.length) break;
  }
  const labels = all.map(label);
  return new Set(labels).size === all.length ? labels : all.map((_, index) => `case=${index + 1}`);
}

function isScalarIn(all: readonly Values[], key: string): boolean {
  return all.every((values) => typeof values[key] !== 'object' && String(values[key]).length <= 60);
}
