// A button of a section that starts a step: what the server complains of goes to the form, the run is followed.

/** `part` has `context`, `follower`, `complain(complaints)` and `showState()`; `noted` is where the form notes the run. */
export async function beginStep(part, step, config, noted) {
  const { context } = part;
  part.complain([]);
  try {
    const run = await context.api.post(context.route("runs"), { step, config });
    context.form[noted] = run.id;
    context.save();
    part.follower.follow(run.id);
  } catch (error) {
    part.complain(error.complaints?.length ? error.complaints : [{ path: "", message: error.message }]);
  }
  setTimeout(() => part.showState()); // after the button's own end
}
