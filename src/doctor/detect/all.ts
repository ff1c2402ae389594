import type { Behaviours } from '../../lib/behaviours.ts';
import type { Finding } from '../finding.ts';
import type { DoctorPicture } from '../picture.ts';
import { controlsLeftOver } from './controls.ts';
import { deniedLeftOver, denialMissing } from './denied.ts';
import { originalGone } from './original-gone.ts';
import { orphanRules } from './orphan-rules.ts';
import { incompleteRules } from './rule-sets.ts';
import { servingGraph } from './serving-graph.ts';
import { turnedOnItself } from './turned.ts';
import { twoWriters } from './two-writers.ts';

/** Looks at the picture for one kind of problem, or a few that are much alike. Pure. */
type Detector = (picture: DoctorPicture, behaviours: Behaviours) => Finding[];

/** What a doctor looks for besides what `show` says. */
export const DETECTORS: readonly Detector[] = [twoWriters, incompleteRules, denialMissing, turnedOnItself, originalGone, servingGraph, deniedLeftOver, orphanRules, controlsLeftOver];
