/** Messages of package `querythrottler`: carried and printed, never acted on. Vitess: proto/querythrottler.proto. */
import { enumType, mapOf, message, repeated } from './schema.ts';

export const ThrottlingStrategy = enumType('querythrottler.ThrottlingStrategy', [
  ['UNKNOWN', 0],
  ['TABLET_THROTTLER', 1],
]);

export const ThrottleThreshold = message('querythrottler.ThrottleThreshold', [
  ['above', 1, 'double'],
  ['throttle', 2, 'int32'],
]);

export const MetricRule = message('querythrottler.MetricRule', [['thresholds', 1, repeated(ThrottleThreshold)]]);

export const MetricRuleSet = message('querythrottler.MetricRuleSet', [['metric_rules', 1, mapOf(MetricRule)]]);

export const StatementRuleSet = message('querythrottler.StatementRuleSet', [
  ['statement_rules', 1, mapOf(MetricRuleSet)],
]);

export const TabletStrategyConfig = message('querythrottler.TabletStrategyConfig', [
  ['tablet_rules', 1, mapOf(StatementRuleSet)],
]);

export const Config = message('querythrottler.Config', [
  ['enabled', 1, 'bool'],
  ['strategy', 2, ThrottlingStrategy],
  ['tablet_strategy_config', 3, TabletStrategyConfig],
  ['dry_run', 4, 'bool'],
]);
