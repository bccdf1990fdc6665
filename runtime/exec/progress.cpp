#include "runtime/exec/progress.h"
