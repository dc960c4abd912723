// The program of the thread in which Node 20 runs hooks.

export { load } from './_hooks.ts'
