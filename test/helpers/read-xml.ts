/** An element of an XML document. */
export interface Element {
  name: string;
  attributes: Record<string, string>;
  children: Element[];
  text: string;
}

/** Not allowed anywhere in XML 1.0, however it is written. */
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** Reads as much of XML 1.0 as a report has, strictly: throws for anything that a parser would refuse. */
export function readXml(text: string): Element {
  if (FORBIDDEN.test(text)) throw new Error('a character that XML does not have');
  const root: Element = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  const body = text.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, '');
  if (body === text) throw new Error('no declaration');
  const token = /<(\/?)([A-Za-z][\w-]*)((?:\s+[\w-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;
  while (token.lastIndex < body.length) {
    const at = token.lastIndex;
    const match = token.exec(body);
    if (match === null) throw new Error(`not well-formed: ${body.slice(at, at + 60)}`);
    const [, closing, name = '', attributes = '', selfClosing, chars] = match;
    const current = open.at(-1)!;
    if (chars !== undefined) {
      if (chars.includes(']]>')) throw new Error(']]> in a text');
      current.text += unescapeXml(chars.replace(/\r\n?/g, '\n'));
    } else if (closing === '/') {
      if (current.name !== name) throw new Error(`</${name}> ends <${current.name}>`);
      open.pop();
    } else {
      const pairs = [...attributes.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, unescapeXml(value.replace(/[\t\n\r]/g, ' '))]);
      const element: Element = { name, attributes: Object.fromEntries(pairs) as Record<string, string>, children: [], text: '' };
      current.children.push(element);
      if (selfClosing !== '/') open.push(element);
    }
  }
  if (open.length !== 1 || root.children.length !== 1) throw new Error('elements are left open');
  return root.children[0]!;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  if (/&(?!(?:amp|lt|gt|quot|apos|#\d+);)/.test(text)) throw new Error(`a bare & in ${text}`);
  return text.replace(/&(#?)(\w+);/g, (_, number: string, name: string) => (number === '#' ? String.fromCodePoint(Number(name)) : ENTITIES[name]!));
}

/** Every element of a name, from the top. */
export function elements(element: Element, name: string): Element[] {
  const below = element.children.flatMap((child) => elements(child, name));
  return element.name === name ? [element, ...below] : below;
}
