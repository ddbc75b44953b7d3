// Frames of a panel with the settings of the panel put into their fields, as
// Grafana does before it draws: names, units, colours, texts of values.
import { versions } from "./grafana_data.mjs";

export const data = versions[1].data;

export function theme(dark) {
  return data.createTheme({ colors: { mode: dark ? "dark" : "light" } });
}

export function escapeHtml(text) {
  return String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
}

function setPath(object, path, value) {
  const [first, ...rest] = path.split(".");
  if (!rest.length)
    return { ...object, [first]: value };
  return { ...object, [first]: setPath(object?.[first] ?? {}, rest.join("."), value) };
}

// What the data source says of a field comes before the panel's defaults, the
// overrides of the panel before both.
function configOf(panel, field, frame, frames) {
  let config = { ...panel.fieldConfig.defaults };
  for (const [key, value] of Object.entries(field.config))
    if (value !== null && value !== undefined)
      config[key] = key === "custom" ? { ...config.custom, ...value } : value;
  for (const { matcher, properties } of panel.fieldConfig.overrides)
    if (data.fieldMatchers.get(matcher.id).get(matcher.options)(field, frame, frames))
      for (const { id, value } of properties)
        config = setPath(config, id, value);
  return config;
}

const { organizeFieldsTransformer, renameByRegexTransformer } = data.standardTransformers;
data.standardTransformersRegistry.setInit(() => [organizeFieldsTransformer, renameByRegexTransformer].map((transformation) =>
  ({ id: transformation.id, name: transformation.name, transformation, editor: () => null })));

// The panel's transformations, by Grafana's own code.
export function transform(panel, frames) {
  let result = frames;
  if (panel.transformations?.length)
    data.transformDataFrame(panel.transformations, frames).subscribe((seen) => { result = seen; });
  return result;
}

// Raw frames -> whose fields have `name` for people, `config`, `show(value)`
// -> text and `color`.
export function prepare(panel, rawFrames, look) {
  const frames = transform(panel, rawFrames.map((frame) => data.toDataFrame(frame)));
  let series = 0;
  for (const frame of frames) {
    for (const field of frame.fields) {
      field.label = data.getFieldDisplayName(field, frame, frames);
      field.config = configOf(panel, field, frame, frames);
      field.label = field.config.displayName ?? field.label;
      const display = data.getDisplayProcessor({ field: { ...field, config: field.config }, theme: look, timeZone: "utc" });
      field.show = (value) => ((value === null || value === undefined) && !field.config.noValue ? "" : data.formattedValueToString(display(value)));
      field.colorOf = (value) => display(value).color;
      if (field.type === "number")
        field.color = field.config.color?.mode === "fixed"
          ? look.visualization.getColorByName(field.config.color.fixedColor)
          : look.visualization.getColorByName(look.visualization.palette[series++ % look.visualization.palette.length]);
    }
  }
  return frames;
}

export function notices(frames) {
  return frames.flatMap((frame) => frame.meta?.notices ?? []);
}
