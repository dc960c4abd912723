// The compiled internals of the package, for what cannot be seen through its public API. Loaded
// from dist, so that what is tested is what ships; only the types come from ts.

import path from 'node:path'
import type * as Calculator from '../ts/_calculator.ts'
import type * as CalculatorPool from '../ts/_calculatorPool.ts'
import type * as Call from '../ts/_call.ts'
import type * as Estimate from '../ts/_estimate.ts'
import type * as Field from '../ts/_field.ts'
import type * as FileCache from '../ts/_fileCache.ts'
import type * as SharedMemory from '../ts/_sharedMemory.ts'
import type * as Signals from '../ts/_signals.ts'
import type * as Checks from '../ts/cli/doctor/checks.ts'
import type * as Facts from '../ts/cli/doctor/facts.ts'
import type * as MemorySearch from '../ts/cli/doctor/memorySearch.ts'
import type * as Report from '../ts/cli/doctor/report.ts'
import type * as SelfTest from '../ts/cli/doctor/selfTest.ts'
import type * as SelfTestCircuit from '../ts/cli/doctor/selfTestCircuit.ts'
import type * as ExitCodes from '../ts/cli/exitCodes.ts'
import type * as Inputs from '../ts/cli/inputs.ts'
import type * as Inspection from '../ts/cli/inspect/inspection.ts'
import type * as InspectionText from '../ts/cli/inspect/text.ts'
import type * as Outputs from '../ts/cli/outputs.ts'
import type * as Page from '../ts/cli/report/page.ts'
import type * as Profiles from '../ts/cli/report/profile.ts'
import type * as ReportText from '../ts/cli/report/text.ts'
import type * as Timelines from '../ts/cli/report/timeline.ts'
import type * as Treemap from '../ts/cli/report/treemap.ts'
import type * as Environment from '../ts/environment.ts'
import type * as Errors from '../ts/errors.ts'
import type * as Native from '../ts/native.ts'
import type * as CsvReader from '../ts/trace/csvReader.ts'
import type * as CsvWriter from '../ts/trace/csvWriter.ts'
import type * as TraceReader from '../ts/trace/traceReader.ts'
import type * as TraceWriter from '../ts/trace/traceWriter.ts'
import { root } from './_repository.ts'

export const calculator = load<typeof Calculator>('_calculator')
export const calculatorPool = load<typeof CalculatorPool>('_calculatorPool')
export const call = load<typeof Call>('_call')
export const doctor = {
  ...load<typeof Checks>('cli/doctor/checks'),
  ...load<typeof Facts>('cli/doctor/facts'),
  ...load<typeof Report>('cli/doctor/report'),
  ...load<typeof SelfTest>('cli/doctor/selfTest'),
  ...load<typeof SelfTestCircuit>('cli/doctor/selfTestCircuit'),
}
export const environment = load<typeof Environment>('environment')
export const errors = load<typeof Errors>('errors')
export const estimate = load<typeof Estimate>('_estimate')
export const exitCodes = load<typeof ExitCodes>('cli/exitCodes')
export const field = load<typeof Field>('_field')
export const fileCache = load<typeof FileCache>('_fileCache')
export const inputs = load<typeof Inputs>('cli/inputs')
export const inspection = load<typeof Inspection>('cli/inspect/inspection')
export const inspectionText = load<typeof InspectionText>('cli/inspect/text')
export const memorySearch = load<typeof MemorySearch>('cli/doctor/memorySearch')
export const native = load<typeof Native>('native')
export const outputs = load<typeof Outputs>('cli/outputs')
export const report = {
  ...load<typeof Page>('cli/report/page'),
  ...load<typeof Profiles>('cli/report/profile'),
  ...load<typeof ReportText>('cli/report/text'),
  ...load<typeof Timelines>('cli/report/timeline'),
  ...load<typeof Treemap>('cli/report/treemap'),
}
export const sharedMemory = load<typeof SharedMemory>('_sharedMemory')
export const signals = load<typeof Signals>('_signals')
export const trace = {
  ...load<typeof CsvReader>('trace/csvReader'),
  ...load<typeof CsvWriter>('trace/csvWriter'),
  ...load<typeof TraceReader>('trace/traceReader'),
  ...load<typeof TraceWriter>('trace/traceWriter'),
}

function load<T>(name: string): T {
  return require(path.join(root, 'dist', `${name}.js`)) as T
}
