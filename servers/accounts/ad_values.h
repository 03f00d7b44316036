/*
 * ad_values -- what Active Directory's numbers and ids mean. Pure.
 *
 * Sources: [MS-ADTS] 2.2.16 (userAccountControl), [MS-DTYP] 2.3.3 (FILETIME) and 2.3.4
 * (GUID); Samba 4.17 as a domain controller shows them alike.
 */
#ifndef ACCOUNTS_AD_VALUES_H
#define ACCOUNTS_AD_VALUES_H

#include "base/error.h"

/* Bits of userAccountControl; LOCKOUT counts only in the computed attribute. */
#define AD_ACCOUNT_DISABLED UINT32_C(0x2)
#define AD_LOCKOUT          UINT32_C(0x10)

enum { AD_GUID_BYTES = 37, AD_NUMBER_BYTES = 12 };

/* "512", also "-2147483136" (directories show 32 bits with a sign); false for all else. */
bool ad_control_parse(const char *text, uint32_t *ret);
/* The text that a directory takes for it. */
const char *ad_control_format(uint32_t control, char ret[static AD_NUMBER_BYTES]);

/* 100 ns since 1601, in decimal, as milliseconds since 1970; 0 for "0", for "never"
 * (2^63-1), for times before 1970 and for what is no number. */
int64_t ad_time_ms(const char *filetime);

/* Whether two names are the same but for their case. The directory's own comparison also
 * takes letters with and without accents for the same, which are other people. */
bool ad_same_name(const char *a, const char *b);

/* objectGUID as people write it, "4a0ebdfe-360e-...", from 32 hex digits of its bytes;
 * the first three groups are little-endian. False for anything else. */
bool ad_guid_format(const char *hex, char ret[static AD_GUID_BYTES]);
/* And back: 32 hex digits of its bytes. */
bool ad_guid_parse(const char *guid, char ret[static AD_GUID_BYTES]);

#endif
