/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The one place where the version is written; the build reads it from here.
 * MAJOR is the soname: it moves only when a compiled program could break.
 */
#ifndef MASKDM_VERSION_H
#define MASKDM_VERSION_H

#define MASKDM_VERSION_MAJOR 0
#define MASKDM_VERSION_MINOR 1
#define MASKDM_VERSION_PATCH 0

#define MASKDM_VERSION_CODE(a, b, c) ((a) * 1000000 + (b) * 1000 + (c))
#define MASKDM_VERSION MASKDM_VERSION_CODE(MASKDM_VERSION_MAJOR, MASKDM_VERSION_MINOR, MASKDM_VERSION_PATCH)

#endif
