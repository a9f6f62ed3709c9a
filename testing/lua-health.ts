/**
 * Runs a health script as Argo CD does: Lua 5.1 with the basic and table libraries, the object as the global
 * `obj`, and a table with `status` and `message` as the result.
 */

import { Lua, LuaLibraries } from 'wasmoon-lua5.1';

export interface Health {
  readonly status: 'Healthy' | 'Progressing' | 'Degraded' | 'Suspended' | 'Missing' | 'Unknown';
  readonly message: string;
}

/** What Argo CD opens for a script that has not set `useOpenLibs` (its util/lua/lua.go), but for `package` and its own `os`. */
const LIBRARIES = [LuaLibraries.Base, LuaLibraries.Table];

/** @throws an Error with Lua's own words for a script that fails, or that returns no table */
export async function healthOf(script: string, object: unknown): Promise<Health> {
  const lua = await Lua.create({ openStandardLibs: false });
  try {
    for (const library of LIBRARIES) lua.global.loadLibrary(library);
    // As text: what crosses the border of the engine as a value is a proxy there and no table.
    const call = `obj = ${luaOf(object)}\nlocal health = (function()\n${script}\nend)()\n`;
    const check = `if type(health) ~= "table" then error("the script returned " .. type(health)) end\n`;
    lua.doStringSync(`${call}${check}healthStatus, healthMessage = health.status, health.message or ""`);
    return { status: lua.global.get('healthStatus'), message: lua.global.get('healthMessage') };
  } finally {
    lua.global.close();
  }
}

/** A value of JSON as a Lua expression; null is a key that is not there, as in Argo CD. */
function luaOf(value: unknown): string {
  if (value === null || value === undefined) return 'nil';
  if (typeof value === 'string') return luaString(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `{${value.map(luaOf).join(', ')}}`;
  const fields = Object.entries(value).map(([key, field]) => `[${luaString(key)}] = ${luaOf(field)}`);
  return `{${fields.join(', ')}}`;
}

/** Every octet that is not plain as a decimal escape, which Lua 5.1 has and JSON has not. */
function luaString(text: string): string {
  const escaped = Array.from(Buffer.from(text), (octet) =>
    octet < 0x20 || octet > 0x7e || octet === 0x22 || octet === 0x5c
      ? `\\${octet.toString().padStart(3, '0')}`
      : String.fromCharCode(octet),
  );
  return `"${escaped.join('')}"`;
}
