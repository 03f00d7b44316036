#include "servers/accounts/backend.h"

const char *account_state_name(enum account_state state)
{
	switch (state) {
	case ACCOUNT_ACTIVE:
		return "active";
	case ACCOUNT_BLOCKED:
		return "blocked";
	case ACCOUNT_ABSENT:
		return "absent";
	case ACCOUNT_UNKNOWN:
		break;
	}
	return "unknown";
}

void account_done(struct account *a)
{
	free(a->id);
	free(a->identifier);
	free(a->uid);
	free(a->name);
	free(a->mail);
	free(a->detail);
	*a = (struct account){ 0 };
}

void account_list_done(struct account_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		account_done(&list->items[i]);
	free(list->items);
	*list = (struct account_list)ACCOUNT_LIST_INIT;
}

struct account *account_list_add(struct account_list *list)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 16;
		struct account *items =
			reallocarray(list->items, capacity, sizeof *list->items);

		if (!items)
			return NULL;
		list->items = items;
		list->capacity = capacity;
	}
	list->items[list->count] = (struct account){ 0 };
	return &list->items[list->count++];
}
