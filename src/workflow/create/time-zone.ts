import { plainError } from '../../lib/errors.ts';
import { convertTz } from '../../sql/time-zone.ts';
import { forAll } from '../fan-out.ts';
import type { Member } from './request.ts';

const TEST_TIME = '2006-01-02 15:04:05';

/**
 * Throws unless each target's primary knows the zone: it is asked to turn a time into UTC.
 * Vitess: go/vt/vtctl/workflow/materializer.go checkTZConversion.
 */
export async function refuseUnknownTimeZone(targets: readonly Pick<Member, 'primary'>[], zone: string): Promise<void> {
  if (zone === '') return;
  await forAll(targets, async ({ primary }) => {
    if (convertTz(TEST_TIME, zone, 'UTC') !== null) return;
    const { cell, uid } = primary.alias ?? { cell: '', uid: 0 };
    // The middle is what Go makes of a time that could not be read.
    throw plainError(
      `unable to perform time_zone conversions from ${zone} to UTC — value from DB was: [[NULL]] and the result of the attempt was: 0001-01-01 00:00:00 +0000 UTC. ` +
        `Either the specified source time zone is invalid or the time zone tables have not been loaded on the cell:"${cell}" uid:${uid} tablet`,
    );
  });
}
