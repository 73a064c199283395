{{- define "tamas.name" -}}
{{- printf "%s-tamas" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "tamas.selector" -}}
app.kubernetes.io/name: tamas
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "tamas.labels" -}}
{{ include "tamas.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "tamas.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "tamas.image" -}}
image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{- define "tamas.environment" -}}
envFrom:
  - secretRef: {name: {{ .Values.database.existingSecret }}}
  {{- with .Values.kafka.existingSecret }}
  - secretRef: {name: {{ . }}}
  {{- end }}
env:
  - {name: KAFKA_BOOTSTRAP_SERVERS, value: {{ .Values.kafka.bootstrapServers | quote }}}
  - {name: KAFKA_SECURITY_PROTOCOL, value: {{ .Values.kafka.securityProtocol | quote }}}
  {{- with .Values.kafka.saslMechanism }}
  - {name: KAFKA_SASL_MECHANISM, value: {{ . | quote }}}
  {{- end }}
  {{- if .Values.kafka.caSecret }}
  - {name: KAFKA_SSL_CAFILE, value: /etc/tamas/kafka/ca.crt}
  {{- end }}
  - {name: TAMAS_SECRET_KEY_FILE, value: {{ printf "/etc/tamas/key/%s" .Values.secretKey.key | quote }}}
  - {name: TAMAS_PUBLIC_URL, value: {{ .Values.publicUrl | quote }}}
  - {name: TAMAS_TOPIC_PREFIX, value: {{ .Values.topics.prefix | quote }}}
  - {name: TAMAS_TOPIC_PARTITIONS, value: {{ .Values.topics.partitions | quote }}}
  - {name: TAMAS_TOPIC_REPLICATION, value: {{ .Values.topics.replication | quote }}}
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "tamas.mounts" -}}
- {name: key, mountPath: /etc/tamas/key, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- if .Values.kafka.caSecret }}
- {name: kafka-ca, mountPath: /etc/tamas/kafka, readOnly: true}
{{- end }}
{{- end -}}

{{- define "tamas.volumes" -}}
- name: key
  secret: {secretName: {{ .Values.secretKey.existingSecret }}, defaultMode: 0440}
- name: tmp
  emptyDir: {medium: Memory, sizeLimit: 64Mi}
{{- with .Values.kafka.caSecret }}
- name: kafka-ca
  secret: {secretName: {{ . }}, defaultMode: 0444}
{{- end }}
{{- end -}}

{{- define "tamas.blobsVolume" -}}
- name: blobs
  persistentVolumeClaim:
    claimName: {{ .Values.blobs.existingClaim | default (printf "%s-blobs" (include "tamas.name" .)) }}
{{- end -}}

{{- define "tamas.probes" -}}
startupProbe:
  httpGet: {path: /livez, port: {{ . }}}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /livez, port: {{ . }}}
  periodSeconds: 10
  timeoutSeconds: 5
readinessProbe:
  httpGet: {path: /readyz, port: {{ . }}}
  periodSeconds: 5
  timeoutSeconds: 5
lifecycle:
  # Until the service has noticed that this pod ends.
  preStop: {sleep: {seconds: 5}}
{{- end -}}

{{- define "tamas.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "tamas.selector" .root | nindent 8 }}
        app.kubernetes.io/component: {{ .component }}
{{- end -}}
