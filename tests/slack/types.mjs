// types.mjs MODULES SCHEMA: a line of JSON {blocks | modal | home} in, a line with its faults out.
import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const load = createRequire(join(process.argv[2], "index.js"));
const Ajv = load("ajv").default;
const schema = JSON.parse(readFileSync(process.argv[3], "utf8"));

// Slack takes these two, and its types of today do not name them.
schema.definitions.RichTextList.properties.offset = { type: "number" };
schema.definitions.RichTextPreformatted.properties.language = { type: "string" };

const ajv = new Ajv({ strict: false, allErrors: false, allowUnionTypes: true });
ajv.addSchema(schema, "all");
const block = Object.fromEntries(schema.definitions.KnownBlock.anyOf.map((one) => {
	const name = one.$ref.split("/").pop();
	const of = schema.definitions[name];
	const { type } = (of.anyOf?.[0] ?? of).properties;
	return [type.const ?? type.enum[0], ajv.compile({ $ref: `all${one.$ref}` })];
}));
const whole = ajv.compile({ $ref: "all#/definitions/Drawn" });

const words = (check, path) => check.errors.slice(0, 3).map((e) =>
	`${path}${e.instancePath}: ${e.message}${e.params.additionalProperty ? ` (${e.params.additionalProperty})` : ""}`);

function faults(drawn) {
	const found = [];
	const blocks = drawn.blocks ?? drawn.modal?.blocks ?? drawn.home?.blocks;
	// Block by block, so that a fault is of the kind that was meant.
	(Array.isArray(blocks) ? blocks : []).forEach((one, i) => {
		const check = block[one?.type];
		if (!check)
			found.push(`blocks[${i}]: no type is published for ${one?.type}`);
		else if (!check(one))
			found.push(...words(check, `blocks[${i}]`));
	});
	if (found.length === 0 && !whole(drawn))
		found.push(...words(whole, ""));
	return found;
}

for await (const line of createInterface({ input: process.stdin }))
	process.stdout.write(JSON.stringify(faults(JSON.parse(line))) + "\n");
