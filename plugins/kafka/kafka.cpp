// The connector to Apache Kafka: a source and a sink, both named kafka. docs/kafka.md.
#include "plugins/kafka/sink.h"
#include "plugins/kafka/source.h"

FLOWRUN_PLUGIN("kafka", "1.0.0", source<kafka::KafkaSource>(FLOWRUN_SOURCE_REPLAYABLE),
               sink<kafka::KafkaSink>(FLOWRUN_APPEND | FLOWRUN_UPDATE | FLOWRUN_COMPLETE,
                                      FLOWRUN_SINK_BLOCKS))
