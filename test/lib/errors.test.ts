import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  aggregateErrors,
  errorCode,
  errorText,
  errorVerbose,
  grpcCodeName,
  InvariantError,
  isTopoError,
  plainError,
  TopoError,
  type TopoErrorKind,
  UserError,
  VT_CODES,
  type VtCode,
  type VtError,
  vtError,
  wrapError,
} from '../../src/lib/errors.ts';

describe('the text of an error', () => {
  const leaf = vtError('INTERNAL', 'keyspace commerce is not locked (no locksInfo)');

  it('of a leaf', () => {
    expect(errorText(leaf)).toBe('keyspace commerce is not locked (no locksInfo)');
    expect(errorVerbose(leaf)).toBe('Code: INTERNAL\nkeyspace commerce is not locked (no locksInfo)\n');
  });

  it('of a wrapped one: the message first for %s, last for %v', () => {
    const wrapped = wrapError(leaf, 'could not revert');
    expect(errorText(wrapped)).toBe('could not revert: keyspace commerce is not locked (no locksInfo)');
    expect(errorVerbose(wrapped)).toBe('Code: INTERNAL\nkeyspace commerce is not locked (no locksInfo)\n\ncould not revert');
    const twice = wrapError(wrapped, 'outer');
    expect(errorText(twice)).toBe('outer: could not revert: keyspace commerce is not locked (no locksInfo)');
    expect(errorVerbose(twice)).toBe('Code: INTERNAL\nkeyspace commerce is not locked (no locksInfo)\n\ncould not revert\nouter');
  });

  it('of a plain one has no code line', () => {
    expect(errorVerbose(plainError('boom'))).toBe('boom');
    expect(errorVerbose(new TopoError('NoNode', 'lease'))).toBe("node doesn't exist: lease");
    expect(errorVerbose(wrapError(plainError('boom'), 'outer'))).toBe('boom\nouter');
    expect(errorVerbose(new Error('native'))).toBe('native');
    expect(errorVerbose('thrown text')).toBe('thrown text');
  });

  it('of a failed step whose roll-back failed too has three line feeds between them', () => {
    const step = vtError('DEADLINE_EXCEEDED', 'rpc error: code = DeadlineExceeded desc = context deadline exceeded');
    const rollback = plainError(`could not revert denied tables / shard access: ${errorVerbose(leaf)}`);
    const both = `${errorVerbose(step)}\n\n${errorText(rollback)}\ncancel migration failed, manual cleanup work may be necessary`;
    expect(errorText(wrapError(plainError(both), 'failed to sync up replication between the source and target'))).toBe(
      'failed to sync up replication between the source and target: Code: DEADLINE_EXCEEDED\n' +
        'rpc error: code = DeadlineExceeded desc = context deadline exceeded\n\n\n' +
        'could not revert denied tables / shard access: Code: INTERNAL\nkeyspace commerce is not locked (no locksInfo)\n\n' +
        'cancel migration failed, manual cleanup work may be necessary',
    );
  });
});

describe('the code of an error', () => {
  it('is that of the innermost', () => {
    expect(errorCode(wrapError(wrapError(vtError('NOT_FOUND', 'x'), 'y'), 'z'))).toBe('NOT_FOUND');
    expect(errorCode(wrapError(new Error('x'), 'y'))).toBe('UNKNOWN');
    expect(errorCode(new TopoError('Timeout', 'x'))).toBe('UNKNOWN');
    expect(errorCode('x')).toBe('UNKNOWN');
  });

  it.each([
    ['OK', 'OK'],
    ['CANCELED', 'Canceled'],
    ['UNKNOWN', 'Unknown'],
    ['INVALID_ARGUMENT', 'InvalidArgument'],
    ['DEADLINE_EXCEEDED', 'DeadlineExceeded'],
    ['FAILED_PRECONDITION', 'FailedPrecondition'],
    ['OUT_OF_RANGE', 'OutOfRange'],
    ['DATA_LOSS', 'DataLoss'],
    ['UNAUTHENTICATED', 'Unauthenticated'],
    ['CLUSTER_EVENT', 'Code(17)'],
    ['READ_ONLY', 'Code(18)'],
  ] as const)('%s is %s to gRPC', (code, name) => {
    expect(grpcCodeName(code)).toBe(name);
  });
});

describe('errors of the topology', () => {
  it.each<[TopoErrorKind, string]>([
    ['NodeExists', 'node already exists: n'],
    ['NoNode', "node doesn't exist: n"],
    ['NodeNotEmpty', 'node not empty: n'],
    ['Timeout', 'deadline exceeded: n'],
    ['Interrupted', 'interrupted: n'],
    ['BadVersion', 'bad node version: n'],
    ['PartialResult', 'partial result: n'],
    ['NoUpdateNeeded', 'no update needed: n'],
    ['NoImplementation', 'no such topology implementation n'],
    ['ResourceExhausted', 'server resource exhausted: n'],
  ])('%s', (kind, text) => {
    const error = new TopoError(kind, 'n');
    expect([errorText(error), error.node, error.coded]).toEqual([text, 'n', false]);
    expect(isTopoError(error, kind)).toBe(true);
    expect(isTopoError(error, kind === 'NoNode' ? 'Timeout' : 'NoNode')).toBe(false);
  });

  it('lose their kind when they are wrapped', () => {
    expect(isTopoError(wrapError(new TopoError('NoNode', 'n'), 'outer'), 'NoNode')).toBe(false);
    expect(isTopoError(undefined, 'NoNode')).toBe(false);
  });
});

describe('several errors as one', () => {
  it('one stays itself, none is none', () => {
    const one = plainError('x');
    expect(aggregateErrors([one])).toBe(one);
    expect(aggregateErrors([])).toBeUndefined();
  });

  it('texts are sorted, the code is the one that weighs most', () => {
    const all = aggregateErrors([vtError('CANCELED', 'b'), plainError('c'), vtError('INVALID_ARGUMENT', 'a')]);
    expect(errorText(all)).toBe('a\nb\nc');
    expect(errorCode(all)).toBe('INVALID_ARGUMENT');
    expect(errorVerbose(all)).toBe('Code: INVALID_ARGUMENT\na\nb\nc\n');
  });

  // Vitess: go/vt/vterrors/aggregate.go: informational, then retryable, then permanent, then serious ones.
  // Fails while aggregateErrors goes by the codes' numbers instead; then this becomes a plain `it`.
  it('codes weigh what they weigh in Vitess', () => {
    const weights: VtCode[] = [
      ...(['CANCELED', 'ALREADY_EXISTS', 'OUT_OF_RANGE'] as const),
      ...(['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'ABORTED', 'FAILED_PRECONDITION'] as const),
      ...(['RESOURCE_EXHAUSTED', 'UNKNOWN', 'UNAUTHENTICATED', 'PERMISSION_DENIED', 'INVALID_ARGUMENT', 'NOT_FOUND', 'UNIMPLEMENTED'] as const),
      ...(['INTERNAL', 'DATA_LOSS'] as const),
    ];
    for (const [index, heavier] of weights.entries()) {
      for (const lighter of weights.slice(0, index)) {
        expect(errorCode(aggregateErrors([vtError(lighter, 'a'), vtError(heavier, 'b')]))).toBe(heavier);
      }
    }
  });

  it('the order of the errors does not matter', () => {
    const any = fc.record({ code: fc.constantFrom(...VT_CODES.slice(1)), text: fc.stringMatching(/^[a-z]{1,4}$/) });
    fc.assert(
      fc.property(fc.array(any, { minLength: 2, maxLength: 5 }), (parts) => {
        const errors = parts.map(({ code, text }) => vtError(code, text));
        const [forth, back] = [aggregateErrors(errors), aggregateErrors(errors.toReversed())] as [VtError, VtError];
        expect([errorText(forth), errorCode(forth)]).toEqual([errorText(back), errorCode(back)]);
        expect(parts.map(({ code }) => code)).toContain(errorCode(forth));
      }),
    );
  });
});

describe('errors of our own', () => {
  it('say what to do next and how the command ends', () => {
    const cause = new Error('low');
    expect(new UserError('m', { next: 'n', exit: 2, cause })).toMatchObject({ message: 'm', next: 'n', exit: 2, cause });
    expect(new UserError('m')).toMatchObject({ next: undefined, exit: 1, name: 'UserError' });
    expect('cause' in new UserError('m')).toBe(false);
    expect(new InvariantError('m').name).toBe('InvariantError');
  });
});
