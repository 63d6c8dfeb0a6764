/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The one place where the version, and the number of the binary interface, are written; the build reads them here.
 */
#ifndef MASKDM_VERSION_H
#define MASKDM_VERSION_H

#define MASKDM_VERSION_MAJOR 0
#define MASKDM_VERSION_MINOR 1
#define MASKDM_VERSION_PATCH 0

/* What the soname and the symbols' version node bear. It moves when a program that was compiled before could break,
 * and only then: a new version, 1.0 too, keeps it where nothing broke. */
#define MASKDM_ABI 0

#define MASKDM_VERSION_CODE(a, b, c) ((a) * 1000000 + (b) * 1000 + (c))
#define MASKDM_VERSION MASKDM_VERSION_CODE(MASKDM_VERSION_MAJOR, MASKDM_VERSION_MINOR, MASKDM_VERSION_PATCH)

#endif
