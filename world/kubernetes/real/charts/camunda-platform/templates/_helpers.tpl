{{- define "camundaPlatform.imageByParams" -}}
none
{{- end }}

{{/* Labels by which a part is found: of the release and the name of the part. */}}
{{- define "selector" -}}
app.kubernetes.io/instance: {{ .release }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* Pods name the node: there is no scheduler. */}}
{{- define "pod" -}}
nodeName: here
serviceAccountName: {{ .name }}
containers:
  - name: {{ .container }}
    image: none
    env: {{- toYaml .env | nindent 6 }}
    ports:
      {{- range $name, $port := .ports }}
      - { name: {{ $name }}, containerPort: {{ $port }}, protocol: TCP }
      {{- end }}
{{- end }}
