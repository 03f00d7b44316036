#include "assistant/words.h"

#include "base/cleanup.h"

#define ELSE " Forms, commands and approvals work as ever."

static const char *const words[] = {
	[ASSISTANT_OK] = "Done.",
	[ASSISTANT_STOPPED] = "Stopped.",
	[ASSISTANT_MODEL_DOWN] = "The language model does not answer at the moment." ELSE,
	[ASSISTANT_MODEL_BUSY] =
		"The language model has too much to do at the moment; try again in a few "
		"minutes." ELSE,
	[ASSISTANT_MODEL_REFUSED] =
		"The language model refused our request; its key, name or settings need "
		"an operator's look." ELSE,
	[ASSISTANT_MODEL_UNPAID] = "The account at the language model's provider is used "
				   "up; an operator has "
				   "to look at it." ELSE,
	[ASSISTANT_MODEL_BROKEN] = "The language model's answer broke off or could not "
				   "be read; ask again." ELSE,
	[ASSISTANT_TOO_LONG] = "This conversation has become too long for the language "
			       "model; begin a new one.",
	[ASSISTANT_LIMIT_TIME] = "This took longer than one turn may; ask again, for a "
				 "smaller step.",
	[ASSISTANT_LIMIT_REQUESTS] = "The language model went round in circles and was "
				     "stopped; ask again, for a smaller step.",
	[ASSISTANT_LIMIT_TEXT] =
		"The answer was longer than one turn may be and was cut.",
	[ASSISTANT_LIMIT_TOKENS] = "This used more of the language model than one turn "
				   "may; ask again, for a smaller step.",
	[ASSISTANT_NOT_ALLOWED] = "The assistant tried to send what it may not send, and "
				  "was stopped." ELSE,
	[ASSISTANT_BUDGET_SPENT] =
		"Today's budget for the language model is spent; it begins anew at "
		"midnight UTC." ELSE,
	[ASSISTANT_BUDGET_UNKNOWN] =
		"What is left of today's budget for the language model cannot be looked "
		"up at the moment, so it is not asked." ELSE,
	[ASSISTANT_FAULT] =
		"The assistant failed; an operator finds why in its log." ELSE,
};
_Static_assert(ARRAY_SIZE(words) == ASSISTANT_CODE_COUNT, "every code has words");

const char *assistant_words(enum assistant_code code)
{
	return words[code < ASSISTANT_CODE_COUNT ? code : ASSISTANT_FAULT];
}
