// Configurations as plain data: one laid over another, as the command line does it too.

function isTable(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function asTable(value, other) {
  return typeof value === "string" && isTable(other) ? { type: value } : value;
}

/** `low` overlaid by `high`, table by table; another `type` drops the options of the one that it replaces. */
export function merged(low, high) {
  const result = { ...low };
  for (const [name, value] of Object.entries(high)) {
    const below = asTable(low?.[name], value);
    const above = asTable(value, low?.[name]);
    const fit = isTable(below) && isTable(above) && (above.type ?? below.type) === below.type;
    result[name] = fit ? merged(below, above) : above;
  }
  return result;
}

/** `config` without what still stands there as `other` says it. */
export function without(config, other) {
  const result = {};
  for (const [name, value] of Object.entries(config)) {
    const taken = other?.[name];
    if (isTable(value) && isTable(taken) && value.type === taken.type) {
      const { type, ...rest } = without(value, { ...taken, type: undefined });
      if (Object.keys(rest).length) result[name] = type === undefined ? rest : { type, ...rest };
    } else if (JSON.stringify(value) !== JSON.stringify(taken)) {
      result[name] = value;
    }
  }
  return result;
}
