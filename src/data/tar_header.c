/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Fields of a header are text of fixed places: name 0, size 124, checksum 148, type 156, magic 257, prefix 345.
 */
#include "data/tar_header.h"

#include "base/checked.h"

#include <string.h>

enum { SIZE = 124, SIZE_BYTES = 12, SUM = 148, SUM_BYTES = 8, TYPE = 156, MAGIC = 257, PREFIX = 345 };

/* Octal digits, blanks before and a blank or NUL behind; -1: it is none. */
static int read_octal(uint64_t *out, const unsigned char *field, size_t n)
{
    size_t i = 0, digits = 0;

    *out = 0;
    while (i < n && field[i] == ' ')
        i++;
    for (; i < n && field[i] >= '0' && field[i] <= '7'; i++, digits++)
        *out = *out << 3 | (uint64_t)(field[i] - '0');
    while (i < n && (field[i] == ' ' || !field[i]))
        i++;
    return digits && i == n ? 0 : -1;
}

/* GNU writes what octal digits cannot hold as a number of 95 bits, big end first, behind a bit that says so. */
static int read_number(uint64_t *out, const unsigned char *field, size_t n)
{
    if (!(field[0] & 0x80))
        return read_octal(out, field, n);
    *out = field[0] & 0x7f;
    for (size_t i = 1; i < n; i++) {
        if (*out >> 55)
            return -1; /* negative, or more than any file has */
        *out = *out << 8 | field[i];
    }
    return 0;
}

/* Old writers took the bytes as signed. */
static void sum(const unsigned char *block, uint64_t *plain, uint64_t *with_sign)
{
    int64_t minus = 0;

    *plain = 0;
    for (int i = 0; i < MDM_TAR_BLOCK; i++) {
        const unsigned byte = i >= SUM && i < SUM + SUM_BYTES ? ' ' : block[i];

        *plain += byte;
        minus += byte < 128 ? (int64_t)byte : (int64_t)byte - 256;
    }
    *with_sign = (uint64_t)minus;
}

int mdm_tar_is_header(const unsigned char *block)
{
    uint64_t said, plain, with_sign;

    if (read_octal(&said, block + SUM, SUM_BYTES))
        return 0;
    sum(block, &plain, &with_sign);
    return said == plain || said == with_sign;
}

int mdm_tar_is_zero(const unsigned char *block)
{
    for (int i = 0; i < MDM_TAR_BLOCK; i++)
        if (block[i])
            return 0;
    return 1;
}

static size_t length_of(const unsigned char *field, size_t most)
{
    const unsigned char *end = memchr(field, 0, most);

    return end ? (size_t)(end - field) : most;
}

int mdm_tar_read_header(struct mdm_tar_header *h, const unsigned char *block)
{
    const size_t name = length_of(block, MDM_TAR_NAME);
    /* GNU's own format has times and sizes where POSIX's has the prefix. */
    const int posix = memcmp(block + MAGIC, "ustar", 6) == 0;
    const size_t prefix = posix ? length_of(block + PREFIX, MDM_TAR_PREFIX) : 0;
    size_t n = 0;

    if (prefix) {
        memcpy(h->name, block + PREFIX, prefix);
        h->name[prefix] = '/';
        n = prefix + 1;
    }
    memcpy(h->name + n, block, name);
    h->name[n + name] = '\0';
    h->type = block[TYPE] ? (char)block[TYPE] : '0';
    if (h->type == '7')
        h->type = '0';
    if (h->type == '0' && n + name && h->name[n + name - 1] == '/')
        h->type = '5'; /* as folders were before there was a type for them */
    if (read_number(&h->size, block + SIZE, SIZE_BYTES) || h->size > INT64_MAX)
        return mdm_fail(MASKDM_EFORMAT, "\"%.160s\" has a size that is no number", h->name);
    return MASKDM_OK;
}

static int wrong_record(size_t at)
{
    return mdm_fail(MASKDM_EFORMAT, "a pax record is not LENGTH KEY=VALUE at its byte %zu", at);
}

static int take_size(struct mdm_tar_pax *p, const char *value, size_t n)
{
    p->size = 0;
    p->has_size = n > 0;
    for (size_t i = 0; i < n; i++)
        if (value[i] < '0' || value[i] > '9' || mdm_mul_u64(&p->size, p->size, 10) ||
            mdm_add_u64(&p->size, p->size, (uint64_t)(value[i] - '0')))
            return mdm_fail(MASKDM_EFORMAT, "a pax record gives a size that is no number");
    return p->size > INT64_MAX
               ? mdm_fail(MASKDM_EFORMAT, "a pax record gives a size of %llu bytes", (unsigned long long)p->size)
               : MASKDM_OK;
}

static int is_key(const char *key, size_t n, const char *word)
{
    return n == strlen(word) && memcmp(key, word, n) == 0;
}

static int take_record(struct mdm_tar_pax *p, const char *key, size_t n, const char *value, size_t m)
{
    if (is_key(key, n, "size"))
        return take_size(p, value, m);
    if (is_key(key, n, "path")) {
        p->path = value;
        p->path_length = m;
    }
    p->sparse |= n > 10 && memcmp(key, "GNU.sparse", 10) == 0;
    return MASKDM_OK;
}

/* "27 path=some/long/name.png\n", the length that of the whole record. */
int mdm_tar_read_pax(struct mdm_tar_pax *p, const char *records, size_t n)
{
    memset(p, 0, sizeof *p);
    for (size_t at = 0; at < n;) {
        size_t length = 0, digits = 0;
        const char *key, *equals, *end;

        while (at + digits < n && digits < 9 && records[at + digits] >= '0' && records[at + digits] <= '9')
            length = length * 10 + (size_t)(records[at + digits++] - '0');
        if (!digits || length > n - at || length < digits + 3 || records[at + digits] != ' ' ||
            records[at + length - 1] != '\n')
            return wrong_record(at);
        key = records + at + digits + 1;
        end = records + at + length - 1;
        equals = memchr(key, '=', (size_t)(end - key));
        if (!equals)
            return wrong_record(at);
        MDM_TRY(take_record(p, key, (size_t)(equals - key), equals + 1, (size_t)(end - equals - 1)));
        at += length;
    }
    return MASKDM_OK;
}
