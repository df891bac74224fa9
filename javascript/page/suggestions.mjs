// Settings of a comparison that fit a training.

/** The training's model, epochs and preview prompts, as a comparison takes them; `sources` knows its networks. */
export async function suggested(context, sources, id) {
  const run = sources.runs.find((each) => each.id === id);
  const { config } = await context.api.get(context.route("runs", id));
  const { previews = {}, dataset = {} } = config ?? {};
  const side = dataset.buckets?.resolution;
  return dropEmpty({
    model: config?.model,
    networks: run?.networks.filter((file) => file.exists).map((file) => file.path),
    prompts: previews.prompts,
    negative_prompt: previews.negative_prompt,
    width: previews.width ?? side,
    height: previews.height ?? side,
    clip_skip: config?.clip_skip,
    seeds: listed(previews.seed),
    cfg_scales: listed(previews.cfg_scale),
    steps: listed(previews.steps),
    samplers: listed(previews.sampler),
  });
}

function listed(value) {
  return value === undefined || value === null ? [] : [value];
}

/** Without values that say nothing: undefined, null and empty lists. */
export function dropEmpty(config) {
  const says = (value) => value !== undefined && value !== null && !(Array.isArray(value) && !value.length);
  return Object.fromEntries(Object.entries(config).filter(([, value]) => says(value)));
}
