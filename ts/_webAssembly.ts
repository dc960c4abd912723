// The part of the WebAssembly API that is used here. Its types come with TypeScript's DOM library
// only, which a server has no use for.

/** A compiled module. @internal */
export interface WasmModule {
  readonly [Symbol.toStringTag]: 'WebAssembly.Module'
}

/** A name that a module imports or exports. @internal */
export interface WasmName {
  readonly name: string
  readonly kind: string
}

/** A memory that several threads see. @internal */
export interface WasmSharedMemory {
  readonly buffer: SharedArrayBuffer
}

interface WasmApi {
  compile(bytes: Uint8Array): Promise<WasmModule>
  instantiate(
    module: WasmModule,
    imports: Record<string, Record<string, unknown>>,
  ): Promise<{ readonly exports: Record<string, unknown> }>
  readonly Memory: new (limits: {
    readonly initial: number
    readonly maximum: number
    readonly shared: true
  }) => WasmSharedMemory
  readonly Module: {
    imports(module: WasmModule): (WasmName & { readonly module: string })[]
    exports(module: WasmModule): WasmName[]
  }
}

/** @internal */
export const webAssembly = (globalThis as unknown as { WebAssembly: WasmApi }).WebAssembly
