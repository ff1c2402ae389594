// Writes the pages of docs/ and the schemas of fixtures/ that are made from tables of the code. Run it after `npm run build`.
import { writeFileSync } from 'node:fs';
import { pages } from './pages.js';

for (const [path, text] of Object.entries(await pages())) writeFileSync(new URL(`../${path}`, import.meta.url), text);
