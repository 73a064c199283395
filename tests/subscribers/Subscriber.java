import io.cloudevents.CloudEvent;
import io.cloudevents.kafka.CloudEventDeserializer;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Another service, in Java, with nothing of Tamas in it: Kafka's own client and the SDK of CloudEvents.
 *
 * <p>Reads a topic from its start until it has so many events, and proves by {@code prevposition} that it missed none.
 * Arguments: bootstrap servers, topic, how many. The last line says what it has; exit 1: it missed something.
 */
public final class Subscriber {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Map<Integer, Long> held = new HashMap<>();
    private long events;
    private long repeated;
    private long missed;

    public static void main(String[] arguments) {
        var subscriber = new Subscriber();
        subscriber.read(arguments[0], arguments[1], Long.parseLong(arguments[2]));
        System.out.printf(
                "events=%d repeated=%d missed=%d%n", subscriber.events, subscriber.repeated, subscriber.missed);
        System.exit(subscriber.missed == 0 ? 0 : 1);
    }

    private void read(String bootstrap, String topic, long wanted) {
        var settings = new Properties();
        settings.put("bootstrap.servers", bootstrap);
        settings.put("group.id", topic + ".java");
        settings.put("auto.offset.reset", "earliest");
        var ends = System.nanoTime() + PATIENCE.toNanos();
        try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new CloudEventDeserializer())) {
            consumer.subscribe(List.of(topic));
            while (events < wanted && System.nanoTime() < ends) {
                for (var record : consumer.poll(Duration.ofMillis(200))) {
                    take(record);
                }
            }
        }
    }

    private void take(ConsumerRecord<String, CloudEvent> record) {
        var event = record.value();
        var position = number(event, "position");
        var last = held.getOrDefault(record.partition(), 0L);
        if (position <= last) {
            repeated++;
            return;
        }
        if (number(event, "prevposition") > last) {
            missed++;
            System.out.printf("missed what is after %d in partition %d, before %s%n", last, record.partition(), event.getId());
        }
        if (!record.key().equals(event.getSubject()) || event.getData() == null) {
            throw new IllegalStateException("not as the contract says: " + event);
        }
        held.put(record.partition(), position);
        events++;
    }

    private static long number(CloudEvent event, String extension) {
        return Long.parseLong((String) event.getExtension(extension));
    }
}
