/* The assertions of the first version, held against the header of today. */
#include <flowrun_plugin.h>

#include "tests/abi/v1/layout.c"
