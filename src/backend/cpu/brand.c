/* SPDX-License-Identifier: BSD-2-Clause */
#include "backend/cpu/brand.h"

#include "base/error.h"

#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#    include <cpuid.h>

void mdm_read_brand(char brand[MDM_BRAND])
{
    unsigned part[12] = {0};

    for (unsigned i = 0; i < 3; i++)
        if (!__get_cpuid(0x80000002u + i, &part[4 * i], &part[4 * i + 1], &part[4 * i + 2], &part[4 * i + 3]))
            part[4 * i] = 0;
    memcpy(brand, part, sizeof part);
    brand[MDM_BRAND - 1] = '\0';
}
#else
void mdm_read_brand(char brand[MDM_BRAND])
{
    *brand = '\0';
}
#endif

/* The first two generations of scalable Xeons, by "# of AVX-512 FMA Units" of Intel's pages of products. A virtual
 * machine mostly has no such name, and then nothing is known. */
int mdm_halves_512_bits(const char *brand)
{
    static const char *const one[] = {"Bronze 31", "Bronze 32", "Silver 41", "Silver 42", "Gold 51", "Gold 52"};
    static const char *const two[] = {"Gold 5122", "Gold 5222"};

    for (size_t i = 0; i < MDM_LENGTH(two); i++)
        if (strstr(brand, two[i]))
            return 0;
    for (size_t i = 0; i < MDM_LENGTH(one); i++)
        if (strstr(brand, one[i]))
            return 1;
    return 0;
}
