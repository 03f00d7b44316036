/* Pieces as messages: greedy, in their order. */
#include "slack/render/blocks.h"
#include "slack/render/rich.h"
#include "slack/text/text.h"

enum {
	PARTS_MAX = 60, /* of one block of rich text; Slack names no limit */
	MARK_UNITS = 80,
	CONTINUED_BYTES = SLACK_HEADER_CHARACTERS_MAX + 16,
};

struct packing {
	const struct rich_pack *how;
	json_t *messages;
	json_t *blocks;      /* of the last message; borrowed */
	json_t *parts;       /* of its last block, if that is rich text; borrowed */
	size_t units, count; /* of the last message */
	bool has_table;
	bool failed;
};

static bool add_block(struct packing *p, json_t *block)
{
	p->parts = NULL;
	if (json_array_append_new(p->blocks, block) != 0)
		p->failed = true;
	return !p->failed;
}

static bool add_part(struct packing *p, json_t *part)
{
	json_auto_t *own = part;

	if (!own || p->failed) {
		p->failed = true;
		return false;
	}
	if (p->parts && json_array_size(p->parts) < PARTS_MAX) {
		p->failed = json_array_append(p->parts, own) != 0;
		return !p->failed;
	}
	if (!add_block(p, rich_block(json_pack("[O]", own))))
		return false;
	p->parts = json_object_get(
		json_array_get(p->blocks, json_array_size(p->blocks) - 1), "elements");
	return true;
}

static void turn(struct packing *p)
{
	size_t count = json_array_size(p->messages);
	json_t *message = slack_message(p->how->text, json_array());
	char words[CONTINUED_BYTES];

	p->parts = NULL;
	p->has_table = false;
	p->units = p->count = 0;
	p->blocks = json_object_get(message, "blocks");
	if (!p->blocks || json_array_append_new(p->messages, message) != 0) {
		p->failed = true;
		return;
	}
	if (!p->how->heading)
		return;
	(void)snprintf(words, sizeof words, "%s%s", p->how->heading,
		       count > 0 ? ", continued" : "");
	(void)add_part(p, rich_line("section", words, RICH_BOLD));
	p->units = slack_text_units(words, strlen(words));
}

static bool fits(const struct packing *p, const json_t *piece, size_t units)
{
	const size_t room = SLACK_MESSAGE_CHARACTERS_MAX - MARK_UNITS -
			    p->how->reserve_units;
	const bool is_table = rich_is_table(piece);
	const bool is_empty = json_array_size(p->blocks) <= (p->how->heading ? 1 : 0);
	/* The mark comes besides, and what the caller adds. */
	const size_t blocks = SLACK_MESSAGE_BLOCKS_MAX - 3;

	if (is_table && p->has_table)
		return false;
	if (json_array_size(p->blocks) >= blocks)
		return false;
	return (p->units + units <= room &&
		p->count + rich_count(piece) <= RICH_COUNT_MAX) ||
	       (is_empty && !p->parts);
}

static size_t units_from(const json_t *pieces, size_t from)
{
	size_t units = 0;

	for (size_t i = from; i < json_array_size(pieces); i++)
		units += rich_units(json_array_get(pieces, i));
	return units;
}

static void mark(struct packing *p, size_t shown, size_t all)
{
	char words[MARK_UNITS];

	(void)snprintf(words, sizeof words, "%zu of %zu characters shown.", shown, all);
	(void)add_part(p, rich_line("section", words, RICH_ITALIC));
}

static void put(struct packing *p, json_t *piece, size_t units)
{
	if (rich_is_table(piece)) {
		p->has_table = true;
		(void)add_block(p, json_incref(piece));
	} else {
		(void)add_part(p, json_incref(piece));
	}
	p->units += units;
	p->count += rich_count(piece);
}

json_t *rich_messages(const json_t *pieces, const struct rich_pack *how, bool *ret_cut,
		      struct error *err)
{
	json_auto_t *messages = json_array();
	struct packing p = { .how = how, .messages = messages };
	size_t shown = 0, i;
	bool cut = false;
	json_t *piece;

	turn(&p);
	json_array_foreach(pieces, i, piece)
	{
		const size_t units = rich_units(piece);

		if (!fits(&p, piece, units)) {
			if (how->messages_max &&
			    json_array_size(messages) >= how->messages_max) {
				cut = true;
				break;
			}
			turn(&p);
		}
		if (p.failed)
			break;
		put(&p, piece, units);
		shown += units;
	}
	if (json_array_size(p.blocks) == 0)
		(void)add_part(&p, rich_line("section", "Nothing to show.", RICH_ITALIC));
	if (cut || how->hidden > 0)
		mark(&p, shown,
		     shown + units_from(pieces, cut ? i : json_array_size(pieces)) +
			     how->hidden);
	if (p.failed || !messages) {
		error_oom(err);
		return NULL;
	}
	if (ret_cut)
		*ret_cut = cut || how->hidden > 0;
	return TAKE(messages);
}
