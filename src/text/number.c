/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Numbers from text, the same in every locale and rounding mode: integer arithmetic only.
 *
 * A decimal D 10^e is the fraction N / M of two integers. Both are scaled by powers of two until
 * 1 <= N/M < 2; long division then gives the bits of the significand one by one, and comparing what is left
 * with M says how to round.
 */
#include "text/number.h"

#include <limits.h>
#include <math.h>
#include <string.h>

enum {
    /* No point half way between two doubles has more digits (767); behind them a single non-zero digit says all. */
    KEPT = 770,
    /* Outside 1e-330 .. 1e310 the answer is known, so that N and M stay below 10^(KEPT+331) < 2^3660. */
    WORDS = 120,
    TOP = 310,
    BOTTOM = -330
};

struct big {
    int n; /* words in use; the highest is not 0 */
    uint32_t w[WORDS];
};

static void multiply_add(struct big *b, uint32_t factor, uint32_t add)
{
    uint64_t carry = add;

    for (int i = 0; i < b->n; i++) {
        carry += (uint64_t)b->w[i] * factor;
        b->w[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry)
        b->w[b->n++] = (uint32_t)carry;
}

static void multiply_power10(struct big *b, int power)
{
    for (; power >= 9; power -= 9)
        multiply_add(b, 1000000000, 0);
    for (; power > 0; power--)
        multiply_add(b, 10, 0);
}

static int bits(const struct big *b)
{
    return b->n ? 32 * b->n - __builtin_clz(b->w[b->n - 1]) : 0;
}

static void shift_left(struct big *b, int count)
{
    int words = count / 32, rest = count % 32;

    if (!b->n)
        return;
    memmove(b->w + words, b->w, (size_t)b->n * sizeof *b->w);
    memset(b->w, 0, (size_t)words * sizeof *b->w);
    b->n += words;
    if (rest)
        multiply_add(b, (uint32_t)1 << rest, 0);
}

static int compare(const struct big *a, const struct big *b)
{
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    for (int i = a->n - 1; i >= 0; i--)
        if (a->w[i] != b->w[i])
            return a->w[i] < b->w[i] ? -1 : 1;
    return 0;
}

/* a -= b, a >= b */
static void subtract(struct big *a, const struct big *b)
{
    int64_t borrow = 0;

    for (int i = 0; i < a->n; i++) {
        borrow += (int64_t)a->w[i] - (i < b->n ? b->w[i] : 0);
        a->w[i] = (uint32_t)borrow;
        borrow >>= 32; /* arithmetic: 0 or -1 */
    }
    while (a->n && !a->w[a->n - 1])
        a->n--;
}

/* n / m > 0, rounded to nearest even; HUGE_VAL above the range. Changes both. */
static double divide(struct big *n, struct big *m)
{
    int exponent = bits(n) - bits(m), precision, order;
    uint64_t q = 0;

    if (exponent >= 0)
        shift_left(m, exponent);
    else
        shift_left(n, -exponent);
    if (compare(n, m) < 0) {
        shift_left(n, 1);
        exponent--;
    }
    if (exponent > 1023)
        return HUGE_VAL;
    /* Subnormals have fewer bits; half of the least one has none left. */
    precision = exponent >= -1022 ? 53 : 53 - (-1022 - exponent);
    if (precision < 0)
        return 0;
    for (int i = 0; i < precision; i++) {
        q <<= 1;
        if (compare(n, m) >= 0) {
            subtract(n, m);
            q |= 1;
        }
        shift_left(n, 1);
    }
    order = compare(n, m);
    if (order > 0 || (!order && (q & 1)))
        q++;
    return ldexp((double)q, exponent - precision + 1);
}

/* A decimal number as read: digits without leading zeros, value = digits 10^exponent. */
struct decimal {
    int negative, count;
    int64_t exponent;
    unsigned char digit[KEPT + 1];
};

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Past KEPT digits only whether any of them is not 0 matters. */
static void add_digit(struct decimal *d, char c, int behind_point)
{
    if (d->count < KEPT) {
        if (d->count || c != '0')
            d->digit[d->count++] = (unsigned char)(c - '0');
        d->exponent -= behind_point;
    } else {
        if (d->count == KEPT && c != '0') {
            d->digit[d->count++] = 1;
            d->exponent--;
        }
        d->exponent += !behind_point;
    }
}

static int scan_exponent(const char **at, int64_t *out)
{
    const char *s = *at;
    int negative = *s == '-';
    int64_t value = 0;

    if (*s == '-' || *s == '+')
        s++;
    if (!is_digit(*s))
        return -1;
    for (; is_digit(*s); s++)
        if (value < INT64_MAX / 100)
            value = 10 * value + (*s - '0');
    *out = negative ? -value : value;
    *at = s;
    return 0;
}

static int scan(struct decimal *d, const char *s)
{
    int64_t exponent = 0;
    int any = 0;

    d->count = 0;
    d->exponent = 0;
    d->negative = *s == '-';
    if (*s == '-' || *s == '+')
        s++;
    for (; is_digit(*s); s++, any = 1)
        add_digit(d, *s, 0);
    if (*s == '.')
        for (s++; is_digit(*s); s++, any = 1)
            add_digit(d, *s, 1);
    if (!any)
        return -1;
    if (*s == 'e' || *s == 'E') {
        s++;
        if (scan_exponent(&s, &exponent))
            return -1;
    }
    d->exponent += exponent; /* both far below 2^62 */
    return *s ? -1 : 0;
}

int mdm_parse_double(const char *s, double *out)
{
    struct decimal d;
    struct big n, m;
    double value = 0;

    if (scan(&d, s))
        return -1;
    if (d.count && d.count + d.exponent > TOP)
        return -1;
    if (d.count && d.count + d.exponent >= BOTTOM) {
        n.n = 0;
        m.n = 1;
        m.w[0] = 1;
        for (int i = 0; i < d.count; i++)
            multiply_add(&n, 10, d.digit[i]);
        if (d.exponent >= 0)
            multiply_power10(&n, (int)d.exponent);
        else
            multiply_power10(&m, (int)-d.exponent);
        value = divide(&n, &m);
        if (isinf(value))
            return -1;
    }
    *out = d.negative ? -value : value;
    return 0;
}

int mdm_parse_i64(const char *s, int64_t *out)
{
    int negative = *s == '-';
    uint64_t value = 0, most = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;

    if (*s == '-' || *s == '+')
        s++;
    if (!*s)
        return -1;
    for (; *s; s++) {
        unsigned digit = (unsigned)(*s - '0');

        if (!is_digit(*s) || value > (most - digit) / 10)
            return -1;
        value = 10 * value + digit;
    }
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return 0;
}
