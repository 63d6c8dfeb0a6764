/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sizes in bytes, with the letters that people write behind them.
 */
#include "text/size.h"

#include "base/format.h"
#include "text/number.h"

#include <math.h>
#include <string.h>

static const char letters[] = "KMGTPE";

void mdm_size_write(char out[MDM_SIZE_TEXT], double bytes)
{
    int power = 0;

    /* What would be shown as 1000 of one is less than 1 of the next. */
    for (; fabs(bytes) >= 999.5 && letters[power]; power++)
        bytes /= 1024;
    if (power)
        mdm_format(out, MDM_SIZE_TEXT, "%.3g%c", bytes, letters[power - 1]);
    else
        mdm_format(out, MDM_SIZE_TEXT, "%.0f", bytes);
}

/* Which of the letters s begins with, whatever its case, or -1. */
static int power_of(const char *s)
{
    const char *at = *s ? strchr(letters, *s & ~0x20) : NULL;

    return at ? (int)(at - letters) : -1;
}

/* Behind the number: nothing, "B", "G", "GB", "GiB". */
static int is_unit(const char *s)
{
    const int power = power_of(s);

    if (power >= 0)
        s += s[1] == 'i' && (s[2] | 0x20) == 'b' ? 2 : 1;
    return !*s || (!s[1] && (*s | 0x20) == 'b');
}

int mdm_size_read(const char *s, int64_t *out)
{
    const size_t n = strspn(s, "0123456789.");
    char number[32];
    double bytes;

    if (mdm_parse_i64(s, out) == 0)
        return 0;
    if (!n || n >= sizeof number || !is_unit(s + n))
        return -1;
    memcpy(number, s, n);
    number[n] = '\0';
    if (mdm_parse_double(number, &bytes) < 0)
        return -1;
    for (int k = power_of(s + n); k >= 0; k--)
        bytes *= 1024;
    if (bytes != floor(bytes) || bytes >= 0x1p63)
        return -1;
    *out = (int64_t)bytes;
    return 0;
}
