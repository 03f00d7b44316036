#include "servers/playbooks/weights.h"

const struct weights weights_default = {
	.k1 = 3.0,
	.section = {
		[FIELD_BODY] = { 1.0, 0.6 },
		[FIELD_HEADING] = { 3.0, 0.4 },
		[FIELD_PATH] = { 1.0, 0.4 },
		[FIELD_TITLE] = { 2.0, 0.4 },
		[FIELD_NAME] = { 1.0, 0.4 },
	},
	.document = {
		[FIELD_BODY] = { 1.0, 0.7 },
		[FIELD_HEADING] = { 2.0, 0.5 },
		[FIELD_TITLE] = { 5.0, 0.4 },
		[FIELD_NAME] = { 4.5, 0.4 },
	},
};
